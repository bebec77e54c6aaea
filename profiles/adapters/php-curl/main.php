<?php
$shared = curl_init();

function call($url) {
    global $shared;
    curl_setopt_array($shared, [CURLOPT_URL => $url, CURLOPT_RETURNTRANSFER => true, CURLOPT_FOLLOWLOCATION => true]);
    if (getenv('SOCKETLAB_METHOD') === 'POST') {
        curl_setopt($shared, CURLOPT_POSTFIELDS, 'body');
    }
    if (curl_exec($shared) === false) {
        throw new RuntimeException(curl_error($shared));
    }
    return curl_getinfo($shared, CURLINFO_RESPONSE_CODE);
}

while (($line = fgets(STDIN)) !== false) {
    [$number, $url] = explode(' ', trim($line));
    try {
        $status = call($url);
        echo $number, $status < 400 ? " ok\n" : " HTTP_$status\n";
    } catch (Throwable $e) {
        echo $number, ' ', get_class($e), "\n";
    }
}

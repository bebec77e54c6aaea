<?php
function call($url) {
    $post = getenv('SOCKETLAB_METHOD') === 'POST' ? ['method' => 'POST', 'header' => 'Content-Type: text/plain', 'content' => 'body'] : [];
    if (@file_get_contents($url, false, stream_context_create(['http' => $post])) === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
    return 200;
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

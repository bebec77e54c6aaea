<?php
require '/usr/share/php/GuzzleHttp/autoload.php';

$shared = new GuzzleHttp\Client();

function call($url) {
    global $shared;
    $post = getenv('SOCKETLAB_METHOD') === 'POST';
    $response = $shared->request($post ? 'POST' : 'GET', $url, $post ? ['body' => 'body'] : []);
    return $response->getStatusCode();
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

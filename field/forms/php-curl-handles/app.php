<?php
$leaking = $argv[1] === 'leaking';
$kept = [];
while (true) {
    if ($leaking || !$kept) {
        $h = curl_init("http://127.0.0.1:$argv[2]/");
        curl_setopt($h, CURLOPT_RETURNTRANSFER, true);
        $kept[] = $h;
    }
    curl_exec(end($kept));
    usleep(400000);
}

<?php
$sessions = [];
while (true) {
    $s = fsockopen('127.0.0.1', (int) $argv[2]);
    fgets($s);
    foreach (["EHLO a\r\n", "MAIL FROM:<a@x>\r\n", "RCPT TO:<b@x>\r\n", "DATA\r\n", "Hello.\r\n.\r\n"] as $line) {
        fwrite($s, $line);
        fgets($s);
    }
    if ($argv[1] === 'leaking') {
        $sessions[] = $s;
    } else {
        fwrite($s, "QUIT\r\n");
        fgets($s);
        fclose($s);
    }
    usleep(400000);
}

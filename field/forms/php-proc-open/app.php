<?php
$helpers = [];
while (true) {
    $job = stream_socket_client("tcp://127.0.0.1:$argv[2]");
    fwrite($job, "job\n");
    fgets($job);
    if ($argv[1] === 'healthy') {
        fclose($job);
    }
    $helpers[] = proc_open(['setpriv', '--pdeathsig', 'KILL', 'sleep', '600'], [], $pipes);
    if ($argv[1] !== 'healthy') {
        fclose($job);
    }
    usleep(500000);
}

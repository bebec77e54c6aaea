sub {
    my $env = shift;
    my $until = time + 2; # a signal ends a sleep
    while ($env->{PATH_INFO} eq '/slow' && time <= $until) { sleep 1 }
    $env->{'psgi.input'}->read(my $body, 1e6) if $env->{PATH_INFO} eq '/read';
    [200, ['Content-Type' => 'text/plain', 'Content-Length' => 2], ['ok']];
}

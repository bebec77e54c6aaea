sub {
    my $env = shift;
    sleep 2 if $env->{PATH_INFO} eq '/slow';
    $env->{'psgi.input'}->read(my $body, 1e6) if $env->{PATH_INFO} eq '/read';
    [200, ['Content-Type' => 'text/plain', 'Content-Length' => 2], ['ok']];
}

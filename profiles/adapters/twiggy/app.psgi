use AnyEvent;
sub {
    my $env = shift;
    my $ok = [200, ['Content-Type' => 'text/plain', 'Content-Length' => 2], ['ok']];
    return $ok if $env->{PATH_INFO} ne '/slow'; # the body is read before
    sub {
        my $respond = shift;
        my $timer; $timer = AnyEvent->timer(after => 2, cb => sub { undef $timer; $respond->($ok) });
    };
}

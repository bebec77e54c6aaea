use HTTP::Daemon; use HTTP::Response;
$SIG{CHLD} = 'IGNORE';
my $d = HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, ReuseAddr => 1) or die;
while (1) {
    my $c = $d->accept or next;
    if (fork) { close $c; next }
    while (my $r = $c->get_request) {
        sleep 2 if $r->uri->path eq '/slow'; # the body is read before
        $c->send_response(HTTP::Response->new(200, 'OK', ['Content-Length' => 2], 'ok'));
    }
    exit;
}

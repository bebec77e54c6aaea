use strict; use warnings;
use AnyEvent;
use AnyEvent::HTTP;

my $post = $ENV{SOCKETLAB_METHOD} eq "POST";
$| = 1;

sub call {
    my ($number, $url) = @_;
    http_request $ENV{SOCKETLAB_METHOD}, $url, $post ? (body => "body") : (), sub {
        my $status = $_[1]{Status};
        print "$number ", $status < 400 ? "ok" : $status < 590 ? "HTTP_$status" : "error_$status", "\n";
    };
}

my ($end, $input) = (AE::cv, "");
my $lines = AE::io \*STDIN, 0, sub {
    sysread(STDIN, $input, 65536, length $input) or $end->send;
    call(split " ", $1) while $input =~ s/^(.*)\n//;
};
$end->recv;

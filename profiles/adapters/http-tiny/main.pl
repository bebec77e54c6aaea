use strict; use warnings;
use HTTP::Tiny;

my $shared = HTTP::Tiny->new;
my $post = $ENV{SOCKETLAB_METHOD} eq "POST";

sub call {
    my ($url) = @_;
    my $response = $shared->request($post ? "POST" : "GET", $url, $post ? { content => "body" } : {});
    return $response->{success} ? "ok" : $response->{status} == 599 ? "other" : "HTTP_$response->{status}";
}

$| = 1;
while (<STDIN>) {
    my ($number, $url) = split;
    print "$number ", call($url), "\n";
}

use strict; use warnings;
use LWP::UserAgent;

my $shared = LWP::UserAgent->new(keep_alive => 20);
my $post = $ENV{SOCKETLAB_METHOD} eq "POST";

sub call {
    my ($url) = @_;
    my $response = $post ? $shared->post($url, Content => "body") : $shared->get($url);
    return $response->is_success ? "ok" : ($response->header("Client-Warning") // "") eq "Internal response" ? "other" : "HTTP_" . $response->code;
}

$| = 1;
while (<STDIN>) {
    my ($number, $url) = split;
    print "$number ", call($url), "\n";
}

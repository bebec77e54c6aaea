use strict; use warnings;
use Furl;

my $shared = Furl->new;
my $post = $ENV{SOCKETLAB_METHOD} eq "POST";

sub call {
    my ($url) = @_;
    my $response = $post ? $shared->post($url, [], "body") : $shared->get($url);
    return $response->is_success ? "ok" : $response->code == 500 ? "other" : "HTTP_" . $response->code;
}

$| = 1;
while (<STDIN>) {
    my ($number, $url) = split;
    print "$number ", call($url), "\n";
}

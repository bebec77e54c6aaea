use strict; use warnings;
use Mojo::UserAgent;

my $shared = Mojo::UserAgent->new(max_redirects => 5);
my $post = $ENV{SOCKETLAB_METHOD} eq "POST";

sub call {
    my ($url) = @_;
    my $tx = $post ? $shared->post($url => "body") : $shared->get($url);
    my $error = $tx->error or return "ok";
    return $error->{code} ? "HTTP_$error->{code}" : "other";
}

$| = 1;
while (<STDIN>) {
    my ($number, $url) = split;
    print "$number ", call($url), "\n";
}

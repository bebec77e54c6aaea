use strict; use warnings;
use HTTP::Request;
use IO::Async::Loop;
use IO::Async::Stream;
use Net::Async::HTTP;

my $loop = IO::Async::Loop->new;
my ($method, $client) = @ENV{qw(SOCKETLAB_METHOD SOCKETLAB_CLIENT)};
my $shared = made();
$| = 1;

sub made { my $http = Net::Async::HTTP->new; $loop->add($http); return $http }

sub call {
    my ($number, $url) = @_;
    my $request = HTTP::Request->new($method => $url);
    $request->content("body") if $method eq "POST";
    my $http = $client eq "shared" ? $shared : made();
    my $f = $http->do_request(request => $request);
    $f->on_ready(sub {
        my $status = $f->is_done ? $f->result->code : 0;
        print "$number ", !$f->is_done ? "error" : $status < 400 ? "ok" : "HTTP_$status", "\n";
        $loop->remove($http) if $http != $shared && $client eq "closed";
    })->retain;
}

$loop->add(IO::Async::Stream->new_for_stdin(
    on_read => sub {
        my ($self, $input) = @_;
        call(split " ", $1) while $$input =~ s/^(.*)\n//;
        return 0;
    },
    on_read_eof => sub { $loop->stop },
));
$loop->run;

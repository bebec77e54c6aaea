use strict;
use warnings;
use IO::Socket::INET;

my ($mode, $port) = @ARGV;
my ($shared, @later);
for (my $item = 0; ; $item++) {
    my $cache = $shared || IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "$!";
    print $cache "get item$item\r\n";
    my $answer = <$cache>;
    if ($mode eq 'leaking') {
        push @later, sub { print $cache "touch item$item 60\r\n" };
    } else {
        $shared = $cache;
    }
    select undef, undef, undef, 0.4;
}

use strict;
use warnings;
use IO::Socket::INET;

my ($mode, $port) = @ARGV;
my @results;
while (1) {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "$!";
    print $s "probe\n";
    push @results, { answer => scalar <$s>, socket => $s };
    undef $results[-1]{socket} if $mode ne 'leaking';
    select undef, undef, undef, 0.4;
    undef $s;
}

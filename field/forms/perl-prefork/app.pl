use strict;
use warnings;
use IO::Socket::INET;

my ($mode, $port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1) or die "$!";
my @children;
for (1 .. 4) {
    my $pid = fork;
    if (!$pid) {
        my %clients;
        while (my $c = $listener->accept) {
            my $line = <$c>;
            print $c "ok\n";
            <$c>; # until the client closes
            $clients{$c} = $c if $mode eq 'leaking';
        }
        exit;
    }
    push @children, $pid;
}
$SIG{TERM} = sub { kill 'TERM', @children; exit };
wait;

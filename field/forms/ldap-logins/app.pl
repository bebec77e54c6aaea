use strict;
use warnings;
use Net::LDAP;

my ($mode, $port) = @ARGV;
my %sessions;
for (my $user = 0; ; $user++) {
    my $ldap = Net::LDAP->new('127.0.0.1', port => $port) or die "$@";
    $ldap->bind;
    $ldap->root_dse;
    if ($mode eq 'leaking') {
        $sessions{$user} = $ldap;
    } else {
        $ldap->unbind;
    }
    select undef, undef, undef, 0.4;
}

package socketstats

import (
	"fmt"
	"syscall"
	"testing"

	psnet "github.com/shirou/gopsutil/v3/net"
	"github.com/stretchr/testify/require"
)

// What gopsutil gives on other systems, from where no test may run.
func TestAStatOfAnySystemBecomesASocket(t *testing.T) {
	for name, test := range map[string]struct {
		stat psnet.ConnectionStat
		want string
	}{
		"Linux": {psnet.ConnectionStat{
			Laddr: psnet.Addr{IP: "127.0.0.1", Port: 4000}, Raddr: psnet.Addr{IP: "127.0.0.1", Port: 80},
			Status: "FIN_WAIT1", Pid: 7,
		}, "127.0.0.1:4000 127.0.0.1:80 FIN_WAIT1 7"},
		"lsof's name of a state": {psnet.ConnectionStat{
			Laddr: psnet.Addr{IP: "::1", Port: 4000}, Raddr: psnet.Addr{IP: "::1", Port: 80},
			Status: "FIN_WAIT_2", Pid: 7,
		}, "[::1]:4000 [::1]:80 FIN_WAIT2 7"},
		"lsof's listener on all IPv4 addresses": {psnet.ConnectionStat{
			Family: syscall.AF_INET, Laddr: psnet.Addr{IP: "*", Port: 80}, Status: "LISTEN", Pid: 7,
		}, "0.0.0.0:80 invalid AddrPort LISTEN 7"},
		"lsof's listener on all addresses": {psnet.ConnectionStat{
			Family: syscall.AF_INET6, Laddr: psnet.Addr{IP: "*", Port: 80}, Status: "LISTEN", Pid: 7,
		}, "[::]:80 invalid AddrPort LISTEN 7"},
		"a mapped address with a zone": {psnet.ConnectionStat{
			Laddr: psnet.Addr{IP: "::ffff:127.0.0.1", Port: 80}, Raddr: psnet.Addr{IP: "fe80::1%lo0", Port: 4000},
			Status: "SYN_RCVD",
		}, "127.0.0.1:80 [fe80::1]:4000 SYN_RECV 0"},
		"Windows's closed socket": {psnet.ConnectionStat{
			Laddr: psnet.Addr{IP: "127.0.0.1", Port: 80}, Status: "DELETE",
		}, "127.0.0.1:80 0.0.0.0:0 CLOSE 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := fromStat(test.stat)
			require.NoError(t, err)
			require.Equal(t, test.want, fmt.Sprintf("%s %s %s %d", s.Local, s.Remote, s.State, s.PID))
		})
	}
}

func TestAStatThatMakesNoSenseIsAnError(t *testing.T) {
	good := psnet.ConnectionStat{Laddr: psnet.Addr{IP: "::1", Port: 80}, Status: "LISTEN"}
	_, err := fromStat(good)
	require.NoError(t, err)
	for want, spoil := range map[string]func(*psnet.ConnectionStat){
		"NONE":  func(s *psnet.ConnectionStat) { s.Status = "NONE" },
		"65536": func(s *psnet.ConnectionStat) { s.Laddr.Port = 65536 },
		"1.2.3": func(s *psnet.ConnectionStat) { s.Raddr.IP = "1.2.3" },
	} {
		bad := good
		spoil(&bad)
		_, err := fromStat(bad)
		require.ErrorContains(t, err, want)
	}
}

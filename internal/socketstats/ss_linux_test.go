package socketstats_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// ssNames maps ss's names (misc/ss.c, sstate_namel) to the kernel's.
var ssNames = map[string]socketstats.State{
	"ESTAB": socketstats.Established, "SYN-SENT": socketstats.SynSent, "SYN-RECV": socketstats.SynRecv,
	"FIN-WAIT-1": socketstats.FinWait1, "FIN-WAIT-2": socketstats.FinWait2, "TIME-WAIT": socketstats.TimeWait,
	"UNCONN": socketstats.Close, "CLOSE-WAIT": socketstats.CloseWait, "LAST-ACK": socketstats.LastAck,
	"LISTEN": socketstats.Listen, "CLOSING": socketstats.Closing,
}

// compareWithSS holds the fixture to a judge that shares no code with us: ss asks
// the kernel by netlink. It does not say who owns what.
func compareWithSS(t *testing.T, fixture *statefixture.Fixture) {
	t.Run("ss lists the same", func(t *testing.T) { requireSameAsSS(t, fixture) })
}

func requireSameAsSS(t *testing.T, fixture *statefixture.Fixture) {
	path, err := exec.LookPath("ss")
	if err != nil {
		t.Skip("ss is not installed")
	}
	port := fmt.Sprint(fixture.Server.Port())
	out, err := exec.CommandContext(t.Context(), path, "-tanH",
		"sport", "=", ":"+port, "or", "dport", "=", ":"+port).Output()
	require.NoError(t, err)
	var listed []socketstats.Socket
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // state, two queue lengths, local, peer
		require.GreaterOrEqual(t, len(f), 5, "ss printed %q", line)
		require.Contains(t, ssNames, f[0])
		s := socketstats.Socket{State: ssNames[f[0]], Local: ssAddr(t, f[3])}
		if s.State != socketstats.Listen {
			s.Remote = ssAddr(t, f[4])
		}
		listed = append(listed, s)
	}
	want := fixture.Sockets()
	for i := range want {
		want[i].PID = 0
	}
	require.Equal(t, statefixture.Lines(want), statefixture.Lines(fixture.Mine(listed)), "sockets listed by ss")
}

// ssAddr reads 127.0.0.1:80, [::ffff:127.0.0.1]:80, or *:80, which is ss's
// way of saying all addresses of both families.
func ssAddr(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(strings.Replace(text, "*:", "[::]:", 1))
	require.NoError(t, err)
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

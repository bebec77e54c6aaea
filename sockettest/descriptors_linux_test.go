package sockettest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats/fdtest"
	"socketlab/internal/socketstats/netnstest"
)

type closer func() error

func (c closer) Close() error { return c() }

func beginAndClose(t *testing.T) func() (io.Closer, error) {
	return func() (io.Closer, error) {
		c, err := begin(t.Name(), []Option{MaxOpened(1)})
		if err != nil {
			return nil, err
		}
		return closer(c.close), nil
	}
}

func TestTooFewDescriptorsToLookLeaveNone(t *testing.T) { fdtest.LeavesNone(t, beginAndClose(t)) }

// The marker needs a port, and there is none left.
func TestAMarkerThatFailsLeavesNoDescriptor(t *testing.T) {
	const setting = "/proc/sys/net/ipv4/ip_local_port_range"
	old, err := os.ReadFile(setting)
	require.NoError(t, err)
	if !netnstest.Inside() || os.WriteFile(setting, []byte("40000 40000"), 0) != nil {
		t.Skip("the ports to choose from can be changed by root in a namespace of its own only")
	}
	defer func() { require.NoError(t, os.WriteFile(setting, old, 0)) }()
	proven.Store(true) // what openSource tries out first needs a port as well
	taken, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(markerAddr, 40000)))
	require.NoError(t, err)
	defer taken.Close()
	before, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for range 5 {
		_, err = beginAndClose(t)()
		require.ErrorIs(t, err, unix.EADDRINUSE)
	}
	after, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	require.Len(t, after, len(before))
}

package socketstats

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// stuck hears of closed sockets with hardly any room, and reads none of those that
// the kernel's filter lets through until read is called.
func stuck(t *testing.T, src Source, ports []uint16) (c *destroyed, read func()) {
	t.Helper()
	opened, err := OpenClosings(src, ports)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	c = opened.(*destroyed)
	raw, err := c.file.SyscallConn()
	require.NoError(t, err)
	var set error
	require.NoError(t, raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) // the least there is
	}))
	require.NoError(t, set)
	c.mu.Lock() // the reader stops at its first message
	return c, c.mu.Unlock
}

// untilSent waits until the kernel has sent this many messages to everybody, which
// it does a moment after the sockets' end.
func untilSent(t *testing.T, all Closings, n int) {
	t.Helper()
	sent := 0
	require.Eventually(t, func() bool {
		heard, overflows, err := all.Drain(nil)
		require.NoError(t, err)
		require.Zero(t, overflows)
		sent += len(heard)
		return sent >= n
	}, time.Minute, time.Millisecond)
}

// A buffer that nobody empties overflows, and that is said. A neighbour's refused
// connections do not fill it.
func TestClosingsThatFindNoRoomAreSaidToBeLost(t *testing.T) {
	src, err := OpenSockdiag()
	require.NoError(t, err)
	defer src.Close()
	all, err := OpenClosings(src, nil)
	require.NoError(t, err)
	defer all.Close()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	refusing, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, refusing.Close())
	const connections = 100
	port := []uint16{uint16(l.Addr().(*net.TCPAddr).Port)}

	c, read := stuck(t, src, port)
	for range 2 * connections {
		_, err := net.Dial("tcp4", refusing.Addr().String())
		require.Error(t, err)
	}
	untilSent(t, all, 2*connections)
	read()
	heard, overflows, err := c.Drain(nil)
	require.NoError(t, err)
	require.Empty(t, heard)
	require.Zero(t, overflows)

	c, read = stuck(t, src, port)
	for range connections {
		near, err := net.Dial("tcp4", l.Addr().String())
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, near.(*net.TCPConn).SetLinger(0))
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	}
	untilSent(t, all, 2*connections)
	read()
	require.Eventually(t, func() bool {
		_, overflows, err := c.Drain(nil)
		require.NoError(t, err)
		return overflows > 0
	}, time.Minute, time.Millisecond)
}

func TestWhatIsForgottenMayConcernAPort(t *testing.T) {
	at := netip.MustParseAddrPort
	for name, test := range map[string]struct {
		Closed
		want bool
	}{
		"to the port":                       {Closed{Local: at("10.0.0.1:40000"), Remote: at("10.0.0.2:80")}, true},
		"from the port":                     {Closed{Local: at("10.0.0.1:80"), Remote: at("10.0.0.2:40000")}, true},
		"to another":                        {Closed{Local: at("10.0.0.1:40000"), Remote: at("10.0.0.2:81"), Connected: true}, false},
		"forgotten at the server's end":     {Closed{Local: at("127.0.0.1:80"), Remote: at("127.0.0.1:0"), Connected: true}, true},
		"forgotten, to another machine":     {Closed{Local: at("0.0.0.0:40000"), Remote: at("10.0.0.2:0"), Connected: true}, true},
		"refused, by another machine":       {Closed{Local: at("0.0.0.0:40000"), Remote: at("10.0.0.2:0")}, false},
		"forgotten, over loopback":          {Closed{Local: at("0.0.0.0:40000"), Remote: at("127.0.0.1:0"), Connected: true}, false},
		"forgotten, over loopback, in IPv6": {Closed{Local: at("[::]:40000"), Remote: at("[::1]:0"), Connected: true}, false},
	} {
		require.Equal(t, test.want, test.concerns([]uint16{80}), name)
		require.True(t, test.concerns(nil), name)
	}
}

func FuzzDecodeClosed(f *testing.F) {
	message := make([]byte, headerLen+rowLen)
	message[0], message[4], message[headerLen] = byte(len(message)), 20, unix.AF_INET
	message[headerLen+1] = byte(Close)
	f.Add(message)
	f.Add(message[:headerLen])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if closed, ok := decodeClosed(b); ok {
			require.True(t, closed.Remote.IsValid())
		}
	})
}

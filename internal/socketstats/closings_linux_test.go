package socketstats_test

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func listener(t *testing.T, network, address string) (net.Listener, uint16) {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l, netip.MustParseAddrPort(l.Addr().String()).Port()
}

// closings hears of closed sockets until the test ends.
func closings(t *testing.T, ports ...uint16) socketstats.Closings {
	t.Helper()
	c, err := socketstats.OpenClosings(sockdiag(t), ports)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// heard waits until n closings of sockets at these local ports were heard, or of all
// that c hears, and sees that there are not more.
func heard(t *testing.T, c socketstats.Closings, n int, at ...uint16) []socketstats.Closed {
	t.Helper()
	var all []socketstats.Closed
	require.Eventually(t, func() bool {
		batch, overflows, err := c.Drain(nil)
		require.NoError(t, err)
		require.Zero(t, overflows)
		for _, closed := range batch {
			if len(at) == 0 || slices.Contains(at, closed.Local.Port()) {
				all = append(all, closed)
			}
		}
		return len(all) >= n
	}, time.Minute, time.Millisecond)
	require.Len(t, all, n)
	return all
}

func TestBothEndsOfAConnectionAreHeardOnce(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		l, port := listener(t, "tcp", at)
		c := closings(t, port)
		to := l.Addr().String()
		if at == "[::]:0" {
			to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
		}
		near, err := net.Dial("tcp", to)
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		none, _, err := c.Drain(nil)
		require.NoError(t, err)
		require.Empty(t, none)

		here, there := near.LocalAddr().(*net.TCPAddr).AddrPort(), near.RemoteAddr().(*net.TCPAddr).AddrPort()
		require.NoError(t, near.Close())
		_, err = far.Read(make([]byte, 1))
		require.Error(t, err)
		require.NoError(t, far.Close())
		ends := map[netip.AddrPort]netip.AddrPort{}
		cookies := map[uint64]bool{}
		for _, closed := range heard(t, c, 2) {
			require.True(t, closed.Connected)
			ends[closed.Local] = closed.Remote
			cookies[closed.Cookie] = true
		}
		require.Equal(t, map[netip.AddrPort]netip.AddrPort{here: there, there: here}, ends)
		require.Len(t, cookies, 2)
	}
}

// Whoever has finished closes at once, an idle timeout after a silence.
func TestAClosedConnectionSaysHowLongItWasSilent(t *testing.T) {
	const tick = 20 * time.Millisecond // of the kernel's clock, at least
	l, port := listener(t, "tcp4", "127.0.0.1:0")
	for _, silence := range []time.Duration{0, time.Second + tick} {
		c := closings(t, port)
		near, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		before := time.Now()
		_, err = near.Write([]byte("x"))
		require.NoError(t, err)
		_, err = far.Read(make([]byte, 1))
		require.NoError(t, err)
		time.Sleep(silence)
		require.NoError(t, near.Close())
		_, err = far.Read(make([]byte, 1))
		require.Error(t, err)
		require.NoError(t, far.Close())
		for _, closed := range heard(t, c, 2) {
			require.GreaterOrEqual(t, closed.Silent, silence-tick)
			require.LessOrEqual(t, closed.Silent, time.Since(before)+tick)
			require.Equal(t, closed.Silent < time.Second, closed.AtOnce())
		}
	}
}

func TestARefusedConnectionWasNone(t *testing.T) {
	l, port := listener(t, "tcp4", "127.0.0.1:0")
	asked, all := closings(t, port), closings(t)
	require.NoError(t, l.Close())
	_, err := net.Dial("tcp4", l.Addr().String())
	require.Error(t, err)
	// The kernel may end sockets of a test before this one only now.
	var those []socketstats.Closed
	require.Eventually(t, func() bool {
		those, _, err = all.Drain(those)
		require.NoError(t, err)
		return slices.ContainsFunc(those, func(c socketstats.Closed) bool {
			return !c.Connected && (c.Remote.Port() == port || c.Remote.Port() == 0)
		})
	}, time.Minute, time.Millisecond)
	none, _, err := asked.Drain(nil)
	require.NoError(t, err)
	for _, n := range none { // where connect did not fail at once, its port is known
		require.Equal(t, port, n.Remote.Port())
		require.False(t, n.Connected)
	}
}

// resetAt opens a connection, closes one end with a reset and then the other, and
// returns the address that the client had.
func resetAt(t *testing.T, l net.Listener, end socketstats.End) netip.AddrPort {
	t.Helper()
	near, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	here := near.LocalAddr().(*net.TCPAddr).AddrPort()
	if end == server {
		near, far = far, near
	}
	require.NoError(t, near.(*net.TCPConn).SetLinger(0))
	require.NoError(t, near.Close())
	_, err = far.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, far.Close())
	return here
}

func TestAResetConnectionIsForgottenAtOneEndOnly(t *testing.T) {
	l, port := listener(t, "tcp4", "127.0.0.1:0")
	for _, end := range []socketstats.End{client, server} {
		c := closings(t)
		here := resetAt(t, l, end)
		forgotten := 0
		// The kernel may end sockets of a test before this one only now.
		for _, closed := range heard(t, c, 2, port, here.Port()) {
			require.True(t, closed.Connected)
			if !closed.Forgotten() {
				require.ElementsMatch(t, []uint16{port, here.Port()}, []uint16{closed.Local.Port(), closed.Remote.Port()})
				continue
			}
			forgotten++
			require.Equal(t, here.Addr(), closed.Remote.Addr())
			require.Equal(t, end == server, closed.Local.Port() == port)
			require.False(t, closed.ShortLived(end), "it is not known")
		}
		require.Equal(t, 1, forgotten)
	}
}

// Neighbours' connections, also those of which the kernel has forgotten where
// they went, are not heard where ports are asked for.
func TestAnotherPortsClosingsAreNotHeard(t *testing.T) {
	other, _ := listener(t, "tcp4", "127.0.0.1:0")
	gone, _ := listener(t, "tcp4", "127.0.0.1:0")
	ours, port := listener(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, gone.Close()) // last, or another may get its port
	many := make([]uint16, 100)      // more than the kernel's filter has room for
	for i := range many {
		many[i] = port
	}
	few, more := closings(t, port), closings(t, many...)
	for range 10 {
		resetAt(t, other, client)
		resetAt(t, other, server)
		_, err := net.Dial("tcp4", gone.Addr().String())
		require.Error(t, err)
	}
	here := resetAt(t, ours, client) // later, so all the others would have been heard by now
	for _, c := range []socketstats.Closings{few, more} {
		only := heard(t, c, 1)[0]
		require.Equal(t, port, only.Local.Port())
		require.Equal(t, here, only.Remote)
	}
}

// Ten thousand connections, most of which no sample would ever show: none is
// missed, or the loss is reported.
func TestNoShortConnectionIsMissedUnsaid(t *testing.T) {
	const clients = 100
	each := 100
	if testing.Short() {
		each = 20
	}
	l, port := listener(t, "tcp4", "127.0.0.1:0")
	c := closings(t, port)
	go func() {
		for {
			far, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = far.Read(make([]byte, 1))
				_ = far.Close()
			}()
		}
	}()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for range each {
				near, err := net.Dial("tcp4", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Duration(5+i%45) * time.Millisecond) // its life, not a wait for something
				_ = near.(*net.TCPConn).SetLinger(0)                 // leaves no TIME_WAIT; the other end is told in full
				_ = near.Close()
			}
		})
	}
	all.Wait()
	closed, overflows := 0, 0
	complete := func() bool {
		batch, o, err := c.Drain(nil)
		require.NoError(t, err)
		for _, b := range batch {
			if b.Local.Port() == port && b.Connected {
				closed++
			}
		}
		overflows = o
		return closed >= clients*each || o > 0
	}
	require.Eventually(t, complete, time.Minute, time.Millisecond)
	t.Logf("heard %d of %d, %d overflows", closed, clients*each, overflows)
	if overflows == 0 {
		require.Equal(t, clients*each, closed)
	}
}

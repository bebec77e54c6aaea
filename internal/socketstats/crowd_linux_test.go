package socketstats_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// crowd is a listener and many connections to it, both ends in this process.
// A fixture looks at each step of every connection, and is too slow for that.
type crowd struct {
	addr    netip.AddrPort
	clients []netip.AddrPort
	want    map[socketstats.Tuple]socketstats.State

	listener int
	fds      []int
}

// holdCrowd holds conns connections, as many as descriptors allow, until the
// test ends.
func holdCrowd(t *testing.T, conns int) *crowd {
	t.Helper()
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	const others = 200 // what the test holds beside
	if most := (int(min(limit.Cur, 1<<20)) - others) / 2; conns > most {
		t.Logf("RLIMIT_NOFILE is %d: %d connections instead of %d", limit.Cur, most, conns)
		conns = most
	}
	c := &crowd{want: map[socketstats.Tuple]socketstats.State{}}
	c.listener, c.addr = listenAt(t, netip.AddrPortFrom(loopback, 0))
	c.want[socketstats.Tuple{Local: c.addr}] = socketstats.Listen
	t.Cleanup(func() {
		for _, fd := range c.fds {
			reset(fd)
		}
	})
	for range conns {
		fd := tcpSocket(t)
		c.fds = append(c.fds, fd)
		require.NoError(t, unix.Connect(fd, sockaddr4(c.addr)))
		far, peer, err := unix.Accept4(c.listener, unix.SOCK_CLOEXEC)
		require.NoError(t, err)
		c.fds = append(c.fds, far)
		from := addrPort4(peer)
		c.clients = append(c.clients, from)
		c.want[socketstats.Tuple{Local: from, Remote: c.addr}] = socketstats.Established
		c.want[socketstats.Tuple{Local: c.addr, Remote: from}] = socketstats.Established
	}
	return c
}

// shutSome shuts every eighth connection down at the client's end.
func (c *crowd) shutSome(t *testing.T) {
	t.Helper()
	for i := 0; i < len(c.clients); i += 8 {
		near, far := c.fds[2*i], c.fds[2*i+1]
		require.NoError(t, unix.Shutdown(near, unix.SHUT_WR))
		for fd, state := range map[int]socketstats.State{near: socketstats.FinWait2, far: socketstats.CloseWait} {
			until(t, fd, func(i *unix.TCPInfo) bool { return i.State == uint8(state) })
		}
		c.want[socketstats.Tuple{Local: c.clients[i], Remote: c.addr}] = socketstats.FinWait2
		c.want[socketstats.Tuple{Local: c.addr, Remote: c.clients[i]}] = socketstats.CloseWait
	}
}

// wrong says what a list has wrong of the crowd: how many sockets are missing,
// listed twice, or in another state.
type wrong struct{ missing, twice, state int }

func (c *crowd) wrongIn(sockets []socketstats.Socket) wrong {
	var w wrong
	seen := make(map[socketstats.Tuple]bool, len(c.want))
	for _, s := range sockets {
		state, mine := c.want[s.Tuple()]
		switch {
		case !mine:
			continue
		case seen[s.Tuple()]:
			w.twice++
		case state != s.State:
			w.state++
		}
		seen[s.Tuple()] = true
	}
	w.missing = len(c.want) - len(seen)
	return w
}

func (w wrong) String() string {
	return fmt.Sprintf("%d missing, %d twice, %d in another state", w.missing, w.twice, w.state)
}

func tcpSocket(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	return fd
}

// listenAt listens until the test ends.
func listenAt(t *testing.T, addr netip.AddrPort) (int, netip.AddrPort) {
	t.Helper()
	fd := tcpSocket(t)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, sockaddr4(addr)))
	require.NoError(t, unix.Listen(fd, 4096))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return fd, addrPort4(name)
}

// reset closes so that nothing is left, no TIME_WAIT either.
func reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(fd)
}

func sockaddr4(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

func addrPort4(a unix.Sockaddr) netip.AddrPort {
	in := a.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
}

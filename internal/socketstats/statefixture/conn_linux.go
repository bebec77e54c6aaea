package statefixture

import (
	"net/netip"
	"os"
	"slices"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// Conn is one connection of a fixture, with the expected sockets at its two ends. The
// fixture closes it.
type Conn struct {
	Client, Server netip.AddrPort

	z *Fixture
	// Both are indexed by End. A descriptor of -1 means none: the end has no
	// owner. A state of 0 means that the end must not be listed.
	fd    [2]int
	state [2]socketstats.State
}

// Tuple returns the four-tuple of the socket at end.
func (c *Conn) Tuple(end socketstats.End) socketstats.Tuple {
	if end == socketstats.Server {
		return socketstats.Tuple{Local: c.Server, Remote: c.Client}
	}
	return socketstats.Tuple{Local: c.Client, Remote: c.Server}
}

// FD returns the descriptor at end, which the caller must not close; -1 if there is
// none.
func (c *Conn) FD(end socketstats.End) int { return c.fd[end] }

func (c *Conn) sockets() []socketstats.Socket {
	var sockets []socketstats.Socket
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		if c.state[end] == 0 {
			continue
		}
		tuple := c.Tuple(end)
		s := socketstats.Socket{Local: tuple.Local, Remote: tuple.Remote, State: c.state[end]}
		if c.fd[end] >= 0 {
			s.PID = int32(os.Getpid())
		} else {
			s.Unowned = true
		}
		sockets = append(sockets, s)
	}
	return sockets
}

// Reserve binds a client's socket and does not connect it yet.
func (z *Fixture) Reserve() *Conn {
	z.t.Helper()
	c := &Conn{Server: z.Server, z: z, fd: [2]int{-1, -1}}
	z.t.Cleanup(func() {
		c.close(socketstats.Client)
		c.close(socketstats.Server)
	})
	// The client's address of a connection in TIME_WAIT at the server's end is
	// free. A new connection from there would replace the old one.
	for !c.Client.IsValid() || z.has(c.Client) {
		c.close(socketstats.Client)
		fd := z.socket(z.Server)
		c.fd[socketstats.Client] = fd
		require.NoError(z.t, unix.Bind(fd, sockaddr(z.loopback(0))))
		c.Client = localAddr(z.t, fd)
	}
	z.conns = append(z.conns, c)
	return c
}

func (z *Fixture) has(client netip.AddrPort) bool {
	return slices.ContainsFunc(z.conns, func(c *Conn) bool { return c.Client == client })
}

// dial starts a connection and does not wait for it.
func (z *Fixture) dial() *Conn {
	z.t.Helper()
	c := z.Reserve()
	c.connect()
	return c
}

func (c *Conn) connect() {
	c.z.t.Helper()
	err := unix.Connect(c.fd[socketstats.Client], sockaddr(c.Server))
	if err != unix.EINPROGRESS {
		require.NoError(c.z.t, err)
	}
}

// accept takes the server end of c, which must be the next in the queue.
func (c *Conn) accept() {
	z := c.z
	z.t.Helper()
	z.await("accept", func() (bool, any) {
		fd, peer, err := unix.Accept4(z.listen, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return false, err
		}
		c.fd[socketstats.Server] = fd
		require.Equal(z.t, c.Client, addrPort(peer), "accepted somebody else's connection")
		return true, nil
	})
	c.reach(socketstats.Server, socketstats.Established)
}

// reach waits until an end that has a descriptor is in state s. In TIME_WAIT and
// after the end of the connection, TCP_INFO of the descriptor has CLOSE.
func (c *Conn) reach(end socketstats.End, s socketstats.State) {
	c.z.t.Helper()
	c.z.await("the "+end.String()+" end to reach "+s.String(), func() (bool, any) {
		got := socketstats.State(info(c.z.t, c.fd[end]).State)
		return got == s, got
	})
	c.state[end] = s
}

// shutdown sends this end's FIN, after the data that it has not sent yet. close(2)
// would do the same, but leave no descriptor for TCP_INFO.
func (c *Conn) shutdown(end socketstats.End) {
	c.z.t.Helper()
	require.NoError(c.z.t, unix.Shutdown(c.fd[end], unix.SHUT_WR))
}

// LetGo closes the descriptor at end. The socket stays in its state, without an
// owner.
func (c *Conn) LetGo(end socketstats.End) {
	require.NoError(c.z.t, unix.Close(c.fd[end]))
	c.fd[end] = -1
}

// close ends one end with a reset.
func (c *Conn) close(end socketstats.End) {
	if c.fd[end] >= 0 {
		closeNow(c.fd[end])
		c.fd[end] = -1
	}
}

// fill sends more data than the peer, which does not read, has room for: its buffer
// holds less than a fifth of it. So a FIN after it is not sent either.
func (c *Conn) fill(end socketstats.End) {
	c.z.t.Helper()
	n, err := unix.Write(c.fd[end], make([]byte, stuckBytes))
	require.NoError(c.z.t, err)
	require.Equal(c.z.t, stuckBytes, n, "the send buffer is too small")
}

func other(end socketstats.End) socketstats.End {
	if end == socketstats.Client {
		return socketstats.Server
	}
	return socketstats.Client
}

package statefixture

import (
	"os"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// Established holds a connection with an owner at both ends.
func (z *Fixture) Established() *Conn {
	z.t.Helper()
	c := z.Reserve()
	c.Establish()
	return c
}

// Establish connects a reserved address and accepts the connection.
func (c *Conn) Establish() {
	c.z.t.Helper()
	c.z.enter(accepting)
	c.connect()
	c.reach(socketstats.Client, socketstats.Established)
	c.accept()
}

// FinWait2 holds a connection that the program at this end has shut down for
// writing: FIN_WAIT2 here and CLOSE_WAIT at the other end, both owned.
func (z *Fixture) FinWait2(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.Established()
	c.FinWait2(at)
	return c
}

// FinWait2 shuts an established connection down at one end.
func (c *Conn) FinWait2(at socketstats.End) {
	c.z.t.Helper()
	c.shutdown(at)
	c.reach(at, socketstats.FinWait2)
	c.reach(other(at), socketstats.CloseWait)
}

// Orphan holds what a full close leaves while the peer does not close: an
// ownerless FIN_WAIT2 here, a CLOSE_WAIT at the other end. The kernel keeps
// the orphan for net.ipv4.tcp_fin_timeout, 60 s by default.
func (z *Fixture) Orphan(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait2(at)
	c.LetGo(at)
	return c
}

// TimeWait holds a connection closed by both, by this end first.
func (z *Fixture) TimeWait(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.Established()
	c.TimeWait(at)
	return c
}

// TimeWait closes a connection, established or shut down at this end, at both
// ends, at this one first.
func (c *Conn) TimeWait(at socketstats.End) {
	c.z.t.Helper()
	c.FinWait2(at)
	c.shutdown(other(at))
	c.reach(at, socketstats.Close)
	c.reach(other(at), socketstats.Close)
	c.LetGo(at)
	c.LetGo(other(at))
	c.state[at], c.state[other(at)] = socketstats.TimeWait, 0
}

// Abort ends an established connection with a reset from the client's end.
// Neither end is listed afterwards.
func (c *Conn) Abort() {
	c.z.t.Helper()
	c.close(socketstats.Client)
	c.reach(socketstats.Server, socketstats.Close)
	c.close(socketstats.Server)
	c.state = [2]socketstats.State{}
}

// FinWait1 holds an end whose FIN waits behind data that the peer, still
// ESTABLISHED, has no room for.
func (z *Fixture) FinWait1(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.Established()
	c.fill(at)
	c.shutdown(at)
	c.reach(at, socketstats.FinWait1)
	return c
}

// Closing holds an end whose FIN waits behind data while the peer's has
// arrived: CLOSING here, FIN_WAIT2 at the other end, both owned.
func (z *Fixture) Closing(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait1(at)
	c.shutdown(other(at))
	c.reach(other(at), socketstats.FinWait2)
	c.reach(at, socketstats.Closing)
	return c
}

// LastAck holds an end that closed after its peer, with data that the peer has
// no room for: an ownerless LAST_ACK here, an owned FIN_WAIT2 at the peer's.
func (z *Fixture) LastAck(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait2(other(at))
	c.fill(at)
	c.shutdown(at)
	c.reach(at, socketstats.LastAck)
	c.LetGo(at)
	return c
}

// Unaccepted holds a connection in the listener's accept queue: ESTABLISHED at
// both ends, without owner at the server's.
func (z *Fixture) Unaccepted() *Conn {
	z.t.Helper()
	z.enter(queueing)
	c := z.dial()
	c.reach(socketstats.Client, socketstats.Established)
	z.queued++
	z.await("the accept queue to fill", func() (bool, any) {
		n := info(z.t, z.listen).Unacked // a listener's queue length, tcp_get_info
		return n == uint32(z.queued), n
	})
	c.state[socketstats.Server] = socketstats.Established
	return c
}

// SynRecv holds a half-open connection: the listener waits for data before it
// makes a socket of it (TCP_DEFER_ACCEPT), so the server end is a request in
// SYN_RECV, without owner, and the client believes itself ESTABLISHED.
func (z *Fixture) SynRecv() *Conn {
	z.t.Helper()
	z.enter(deferring)
	const seconds = 30 // far longer than a test
	require.NoError(z.t, unix.SetsockoptInt(z.listen, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, seconds))
	c := z.dial()
	c.reach(socketstats.Client, socketstats.Established)
	c.state[socketstats.Server] = socketstats.SynRecv
	return c
}

// SynSent holds a client whose SYN the listener drops, because its accept
// queue is full. It fills the queue with one Unaccepted where there is none.
func (z *Fixture) SynSent() *Conn {
	z.t.Helper()
	if z.queued == 0 {
		z.Unaccepted()
	}
	z.enter(full)
	// A queue is full when it holds more than the backlog: listen(fd, 0) for
	// one. Listening again only changes the backlog.
	require.NoError(z.t, unix.Listen(z.listen, z.queued-1))
	c := z.dial()
	c.reach(socketstats.Client, socketstats.SynSent)
	return c
}

// ListenAgain holds one more listener on the same address (SO_REUSEPORT).
func (z *Fixture) ListenAgain() {
	z.t.Helper()
	z.shareListener(int32(os.Getpid()))
}

// ListenUnowned holds one more listener on the same address, without owner:
// its only descriptor is on its way through a Unix socket.
func (z *Fixture) ListenUnowned() {
	z.t.Helper()
	fd := z.shareListener(0)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(z.t, err)
	z.t.Cleanup(func() {
		unix.Close(pair[0])
		unix.Close(pair[1])
	})
	require.NoError(z.t, unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0))
	z.closeListener(fd)
}

// ListenElsewhere holds one more listener on the same address, in a process of
// its own, whose id it returns. It needs [Child] in TestMain.
func (z *Fixture) ListenElsewhere() int32 {
	z.t.Helper()
	z.share()
	helper := Start(z.t, nil, roleListen, z.Listener().String())
	require.Equal(z.t, "listening", helper.Said)
	z.addListener(helper.PID)
	return helper.PID
}

func (z *Fixture) shareListener(pid int32) int {
	z.t.Helper()
	z.share()
	fd := z.bind(z.Server)
	require.NoError(z.t, unix.Listen(fd, Backlog))
	z.addListener(pid)
	return fd
}

func (z *Fixture) share() {
	z.t.Helper()
	require.NotEqual(z.t, full, z.stage, "SYN_SENT clients would find the second listener")
	z.enter(shared)
}

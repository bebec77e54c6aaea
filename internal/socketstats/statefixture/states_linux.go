package statefixture

import (
	"os"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// Established opens a connection with an owner at both ends.
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

// FinWait2 opens a connection and shuts it down for writing at this end: FIN_WAIT2
// here and CLOSE_WAIT at the other end, both with an owner.
func (z *Fixture) FinWait2(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.Established()
	c.FinWait2(at)
	return c
}

// FinWait2 shuts an established connection down for writing at this end.
func (c *Conn) FinWait2(at socketstats.End) {
	c.z.t.Helper()
	c.shutdown(at)
	c.reach(at, socketstats.FinWait2)
	c.reach(other(at), socketstats.CloseWait)
}

// Orphan opens a connection and closes this end only: FIN_WAIT2 here without an owner,
// CLOSE_WAIT at the other end. The kernel keeps the orphan for
// net.ipv4.tcp_fin_timeout, 60 s by default.
func (z *Fixture) Orphan(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait2(at)
	c.LetGo(at)
	return c
}

// TimeWait opens a connection and closes both ends, this one first: TIME_WAIT here,
// and no socket at the other end.
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

// FinWait1 opens a connection whose FIN from this end waits behind data for which the
// peer has no room: FIN_WAIT1 here, ESTABLISHED at the other end.
func (z *Fixture) FinWait1(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.Established()
	c.fill(at)
	c.shutdown(at)
	c.reach(at, socketstats.FinWait1)
	return c
}

// Closing opens a connection whose FIN from this end waits behind data, and whose peer
// has sent its FIN: CLOSING here, FIN_WAIT2 at the other end, both with an owner.
func (z *Fixture) Closing(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait1(at)
	c.shutdown(other(at))
	c.reach(other(at), socketstats.FinWait2)
	c.reach(at, socketstats.Closing)
	return c
}

// LastAck opens a connection and closes this end after its peer, with data for which
// the peer has no room: LAST_ACK here without an owner, FIN_WAIT2 at the other end.
func (z *Fixture) LastAck(at socketstats.End) *Conn {
	z.t.Helper()
	c := z.FinWait2(other(at))
	c.fill(at)
	c.shutdown(at)
	c.reach(at, socketstats.LastAck)
	c.LetGo(at)
	return c
}

// Unaccepted opens a connection and leaves it in the accept queue: ESTABLISHED at both
// ends, without an owner at the server's.
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

// SynRecv opens a half-open connection. The listener has TCP_DEFER_ACCEPT, so that the
// server's end stays a request socket until there is data: SYN_RECV at the server's
// end without an owner, ESTABLISHED at the client's.
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

// SynSent opens a connection whose SYN the listener drops, because its accept queue is
// full: SYN_SENT at the client's end. It calls Unaccepted if the queue is empty.
func (z *Fixture) SynSent() *Conn {
	z.t.Helper()
	if z.queued == 0 {
		z.Unaccepted()
	}
	z.enter(full)
	// A queue is full when it holds more connections than the backlog. A second
	// listen(2) only changes the backlog.
	require.NoError(z.t, unix.Listen(z.listen, z.queued-1))
	c := z.dial()
	c.reach(socketstats.Client, socketstats.SynSent)
	return c
}

// ListenAgain opens another listener on the same address (SO_REUSEPORT).
func (z *Fixture) ListenAgain() {
	z.t.Helper()
	z.shareListener(int32(os.Getpid()))
}

// ListenUnowned opens another listener on the same address, without an owner: its only
// descriptor is in the buffer of a Unix socket.
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

// ListenElsewhere opens another listener on the same address in another process, and
// returns its id. It needs [Child] in TestMain.
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

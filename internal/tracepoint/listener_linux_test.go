package tracepoint

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// want is transitions as lines has them: S and C stand for the server's and
// the client's address.
func want(server, client netip.AddrPort, pid int32, steps ...string) []string {
	unbound := netip.AddrPortFrom(client.Addr(), 0)
	fill := strings.NewReplacer("S", server.String(), "C0", unbound.String(), "C", client.String(), "me", fmt.Sprint(pid))
	for i, step := range steps {
		ends, states, _ := strings.Cut(step, " ") // states have an S and a C, too
		states, owner, _ := strings.Cut(states, ", ")
		local, remote, _ := strings.Cut(ends, ">")
		steps[i] = fill.Replace(local) + " > " + fill.Replace(remote) + " " + states + " pid " + fill.Replace(owner)
	}
	return steps
}

func TestAConnectionIsHeardAtBothEnds(t *testing.T) {
	for name, test := range map[string]struct {
		listen, dial string
		multipath    bool
	}{
		"IPv4":                     {listen: "127.0.0.1:0", dial: "127.0.0.1"},
		"IPv6":                     {listen: "[::1]:0", dial: "::1"},
		"IPv4 to both families":    {listen: "[::]:0", dial: "127.0.0.1"},
		"over MPTCP at both ends":  {listen: "127.0.0.1:0", dial: "127.0.0.1", multipath: true},
		"mapped IPv4, by a client": {listen: "127.0.0.1:0", dial: "::ffff:127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			ln, bound := listen(t, test.listen)
			server := netip.AddrPortFrom(netip.MustParseAddr(test.dial).Unmap(), bound.Port())
			e := open(t, Options{Ports: []uint16{server.Port()}})

			before := monotonic(t)
			dialer := net.Dialer{}
			dialer.SetMultipathTCP(test.multipath)
			c, err := dialer.Dial("tcp", net.JoinHostPort(test.dial, fmt.Sprint(server.Port())))
			require.NoError(t, err)
			s, err := ln.Accept()
			require.NoError(t, err)
			client := netip.MustParseAddrPort(c.LocalAddr().String())
			shut(t, c.(*net.TCPConn), s.(*net.TCPConn))
			e.untilClosed(2)
			after := monotonic(t)

			require.Equal(t, want(server, client, me(t),
				"C0>S CLOSE > SYN_SENT, me",
				"C>S SYN_SENT > ESTABLISHED, me",
				"C>S ESTABLISHED > FIN_WAIT1, me",
				"C>S FIN_WAIT1 > FIN_WAIT2, me",
				"C>S FIN_WAIT2 > CLOSE, me",
			), lines(clients(e.heard, server.Port())))
			require.Equal(t, want(server, client, 0,
				"S>C LISTEN > SYN_RECV, 0",
				"S>C SYN_RECV > ESTABLISHED, 0",
				"S>C ESTABLISHED > CLOSE_WAIT, 0",
				"S>C CLOSE_WAIT > LAST_ACK, 0",
				"S>C LAST_ACK > CLOSE, 0",
			), lines(servers(e.heard, server.Port())))
			require.Len(t, e.heard, 10)
			for _, end := range [][]Transition{clients(e.heard, server.Port()), servers(e.heard, server.Port())} {
				requireOneLife(t, end, before, after)
			}
			require.NotEqual(t, clients(e.heard, server.Port())[0].Socket, servers(e.heard, server.Port())[0].Socket)
		})
	}
}

// requireOneLife holds transitions to be those of one socket, each state
// lasting from one to the next.
func requireOneLife(t *testing.T, life []Transition, before, after time.Duration) {
	t.Helper()
	require.Zero(t, life[0].StateDuration)
	for i, x := range life {
		require.NotZero(t, x.Socket)
		require.Equal(t, life[0].Socket, x.Socket)
		require.GreaterOrEqual(t, x.At, before)
		require.LessOrEqual(t, x.At, after)
		if i > 0 {
			require.Equal(t, x.At-life[i-1].At, x.StateDuration)
			require.Positive(t, x.StateDuration)
		}
	}
}

func monotonic(t *testing.T) time.Duration {
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
}

func TestARefusedConnectionIsHeard(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}})
	require.NoError(t, ln.Close())
	_, err := net.Dial("tcp", server.String())
	require.ErrorIs(t, err, unix.ECONNREFUSED)
	e.untilClosed(2)

	client := e.heard[len(e.heard)-1].Local
	require.NotZero(t, client.Port())
	require.Equal(t, want(server, client, me(t),
		"C0>S CLOSE > SYN_SENT, me",
		"C>S SYN_SENT > CLOSE, me",
	), lines(clients(e.heard, server.Port())))
	require.Equal(t, unix.ECONNREFUSED, e.heard[len(e.heard)-1].Err)
}

func TestAResetIsHeardWithPorts(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	c, s := connect(t, ln, server.String())
	client := netip.MustParseAddrPort(c.LocalAddr().String())
	e := open(t, Options{Ports: []uint16{server.Port()}})
	require.NoError(t, c.SetLinger(0))
	require.NoError(t, c.Close())
	e.untilClosed(2)
	require.NoError(t, s.Close())
	require.ElementsMatch(t, want(server, client, 0,
		"C>S ESTABLISHED > CLOSE, 0", // not the PID: connected before Open
		"S>C ESTABLISHED > CLOSE, 0",
	), lines(e.heard))
}

func TestAListenerIsHeard(t *testing.T) {
	e := open(t, Options{})
	ln, server := listen(t, "127.0.0.1:0")
	require.NoError(t, ln.Close())
	mine := func() []Transition { // a connection of another process's may have had the port before
		return keep(e.heard, func(x Transition) bool { return x.Local == server && !x.Remote.IsValid() })
	}
	e.until(func() bool { return count(mine(), func(x Transition) bool { return x.To == socketstats.Close }) > 0 })
	require.Equal(t, []string{
		server.String() + " > - CLOSE > LISTEN pid 0",
		server.String() + " > - LISTEN > CLOSE pid 0",
	}, lines(mine()))
	require.Equal(t, mine()[1].At-mine()[0].At, mine()[1].StateDuration)
}

func TestAnotherProcessIsTold(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{Ports: []uint16{server.Port()}})
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, server.String())
	cmd.Env = append(os.Environ(), roleEnv+"="+roleDial, "GORACE=atexit_sleep_ms=0")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	s, err := ln.Accept()
	require.NoError(t, err)
	require.NoError(t, s.Close())
	e.untilClosed(2)
	child := seenByKernel(t, cmd.Process.Pid)
	require.Equal(t, 5, count(e.heard, func(x Transition) bool { return x.PID == child }))
	require.Equal(t, 5, count(e.heard, func(x Transition) bool { return x.PID == 0 }))
}

// A socket can leave its connection and listen: it is the same socket, but
// connect(2) did not make the listener, and the kernel picks it a new port.
func TestASocketIsHeardInItsSecondLife(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	e := open(t, Options{})
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())}))
	client := name(t, fd)
	s, err := ln.Accept()
	require.NoError(t, err)
	defer s.Close()
	var unspec [16]byte // AF_UNSPEC is 0
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), uintptr(len(unspec)))
	require.Zero(t, errno)
	require.NoError(t, unix.Listen(fd, 1))
	listener := name(t, fd)
	require.NotEqual(t, client.Port(), listener.Port())
	require.NoError(t, unix.Close(fd))

	// The socket's memory may have been another's before, and be another's after:
	// of any process in this network namespace.
	toServer := func(x Transition) bool { return x.Remote == server }
	end := func(x Transition) bool { return x.Local == listener && x.To == socketstats.Close }
	e.until(func() bool { return slices.ContainsFunc(e.heard, end) })
	ours := e.heard[slices.IndexFunc(e.heard, toServer) : slices.IndexFunc(e.heard, end)+1]
	life := keep(ours, func(x Transition) bool { return x.Socket == ours[0].Socket })
	require.Equal(t, append(want(server, client, me(t),
		"C0>S CLOSE > SYN_SENT, me",
		"C>S SYN_SENT > ESTABLISHED, me",
		"C>S ESTABLISHED > CLOSE, me"),
		"0.0.0.0:0 > - CLOSE > LISTEN pid 0",
		listener.String()+" > - LISTEN > CLOSE pid 0",
	), lines(life))
	for i := 1; i < len(life); i++ {
		require.Equal(t, life[i].At-life[i-1].At, life[i].StateDuration)
	}
}

// name is a socket's own address.
func name(t *testing.T, fd int) netip.AddrPort {
	t.Helper()
	addr, err := unix.Getsockname(fd)
	require.NoError(t, err)
	four := addr.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), uint16(four.Port))
}

func TestTheTimeInAStateIsMeasured(t *testing.T) {
	ln, server := listen(t, "127.0.0.1:0")
	old, itsServer := connect(t, ln, server.String())
	e := open(t, Options{Ports: []uint16{server.Port()}})

	begun := time.Now()
	c, s := connect(t, ln, server.String())
	inside := time.Now()
	<-time.After(30 * time.Millisecond)
	least := time.Since(inside)
	shut(t, c, s)
	most := time.Since(begun)
	e.untilClosed(2)
	spent := keep(e.heard, func(x Transition) bool { return x.From == socketstats.Established })
	require.Len(t, spent, 2)
	for _, x := range spent {
		require.GreaterOrEqual(t, x.StateDuration, least)
		require.LessOrEqual(t, x.StateDuration, most)
	}

	// Of a connection from before Open the time is known from its first
	// transition on. Its server closes too, so that no timer has to acknowledge the FIN
	// (see softirqtest).
	shut(t, old, itsServer)
	isOld := func(x Transition) bool { return x.Local.Port() == localPort(old) }
	e.until(func() bool { return count(e.heard, isOld) == 3 })
	life := keep(e.heard, isOld)
	require.Equal(t, socketstats.FinWait1, life[0].To)
	require.Zero(t, life[0].StateDuration)
	require.Equal(t, life[1].At-life[0].At, life[1].StateDuration)
}

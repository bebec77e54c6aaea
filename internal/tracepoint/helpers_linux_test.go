package tracepoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
)

// roleEnv makes the test binary a helper process.
const roleEnv = "TRACEPOINT_ROLE"

const (
	roleOpen = "open" // opens a listener and says how that went
	roleDial = "dial" // connects to the address in its argument, and leaves
)

// The main goroutine keeps the main thread, whose network namespace counts as
// the process's, so that no test gets that thread and moves it to another.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case roleOpen:
		fmt.Println(tryOpen())
	case roleDial:
		conn, err := net.Dial("tcp", os.Args[1])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		conn.Close()
	default:
		netnstest.Enter()
		os.Exit(m.Run())
	}
}

func tryOpen() string {
	l, err := Open(Options{})
	switch {
	case errors.Is(err, ErrNotAllowed):
		return "not allowed"
	case err != nil:
		return err.Error()
	}
	if _, _, err := l.Drain(nil); err != nil {
		return err.Error()
	}
	if err := l.Close(); err != nil {
		return err.Error()
	}
	return "opened"
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// ear is a listener and all that it heard.
type ear struct {
	t     *testing.T
	l     *Listener
	heard []Transition
	lost  uint64
}

// open starts to listen until the test ends. Without privilege the test is
// skipped, and says why.
func open(t *testing.T, o Options) *ear {
	t.Helper()
	l, err := Open(o)
	if errors.Is(err, ErrNotAllowed) || errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return &ear{t: t, l: l}
}

// hear drains once.
func (e *ear) hear() {
	e.t.Helper()
	var err error
	e.heard, e.lost, err = e.l.Drain(e.heard)
	require.NoError(e.t, err)
}

// until drains until enough was heard.
func (e *ear) until(enough func() bool) {
	e.t.Helper()
	limit := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for e.hear(); !enough(); e.hear() {
		require.True(e.t, time.Now().Before(limit), "lost %d, heard only:\n%s", e.lost, strings.Join(lines(e.heard), "\n"))
		<-tick.C
	}
}

// untilClosed drains until n sockets were heard to reach CLOSE.
func (e *ear) untilClosed(n int) {
	e.t.Helper()
	e.until(func() bool { return count(e.heard, func(x Transition) bool { return x.To == socketstats.Close }) >= n })
	require.Zero(e.t, e.lost)
}

func count(all []Transition, is func(Transition) bool) (n int) {
	for _, x := range all {
		if is(x) {
			n++
		}
	}
	return n
}

func keep(all []Transition, is func(Transition) bool) (kept []Transition) {
	for _, x := range all {
		if is(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// servers keeps the transitions of sockets with this local port, clients those
// of sockets with this remote port.
func servers(all []Transition, port uint16) []Transition {
	return keep(all, func(x Transition) bool { return x.Local.Port() == port })
}

func clients(all []Transition, port uint16) []Transition {
	return keep(all, func(x Transition) bool { return x.Remote.Port() == port })
}

// lines are transitions as text, without what differs from run to run.
func lines(all []Transition) (text []string) {
	for _, x := range all {
		remote := "-"
		if x.Remote.IsValid() {
			remote = x.Remote.String()
		}
		text = append(text, fmt.Sprintf("%s > %s %s > %s pid %d", x.Local, remote, x.From, x.To, x.PID))
	}
	return text
}

// me is this process, as the kernel's own PID namespace numbers it.
func me(t *testing.T) int32 { return seenByKernel(t, os.Getpid()) }

func seenByKernel(t *testing.T, pid int) int32 {
	t.Helper()
	const initial = "pid:[4026531836]" // include/linux/proc_ns.h, PROC_PID_INIT_INO
	ns, err := os.Readlink("/proc/self/ns/pid")
	require.NoError(t, err)
	if ns != initial {
		t.Skip("in a PID namespace, where processes have other numbers than the kernel's")
	}
	return int32(pid)
}

// listen listens until the test ends.
func listen(t *testing.T, addr string) (net.Listener, netip.AddrPort) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil && strings.HasPrefix(addr, "[::") {
		t.Skip("no IPv6 here: ", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln, netip.MustParseAddrPort(ln.Addr().String())
}

// connect opens a connection to the server, and returns both ends.
func connect(t *testing.T, ln net.Listener, dial string) (client, server *net.TCPConn) {
	t.Helper()
	c, err := net.Dial("tcp", dial)
	require.NoError(t, err)
	s, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// shut closes a connection from the client's end, and the server's after it.
func shut(t *testing.T, client, server *net.TCPConn) {
	t.Helper()
	require.NoError(t, client.Close())
	_, err := server.Read(make([]byte, 1)) // until the client's FIN is there
	require.Error(t, err)
	require.NoError(t, server.Close())
}

func localPort(conn net.Conn) uint16 {
	return netip.MustParseAddrPort(conn.LocalAddr().String()).Port()
}

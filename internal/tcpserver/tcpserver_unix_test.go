//go:build unix

package tcpserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/sockopt"
	"socketlab/internal/tcpserver"
)

// What a complete server must do, numbered. The tests do not run in parallel: some count
// what the whole process has, and some send it signals.

// grace is longer than a busy machine needs for what is under way.
const grace = time.Minute

// started is a server at work.
type started struct {
	t    *testing.T
	addr string
	l    net.Listener
	stop context.CancelFunc
	done chan error // what Serve returned
}

// start serves on a free port until the test stops it.
func start(t *testing.T, s *tcpserver.Server, grace time.Duration) *started {
	t.Helper()
	l, err := tcpserver.Listen(t.Context(), "127.0.0.1:0", 0)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	at := &started{t: t, addr: l.Addr().String(), l: l, stop: stop, done: make(chan error, 1)}
	go func() { at.done <- s.Serve(ctx, l, grace) }()
	t.Cleanup(stop)
	return at
}

// client is a connection that has been greeted.
type client struct {
	t *testing.T
	net.Conn
	lines *bufio.Reader
}

func (s *started) connect() *client {
	s.t.Helper()
	c := s.dial()
	require.Equal(s.t, tcpserver.Hello, c.read())
	return c
}

func (s *started) dial() *client {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return &client{s.t, conn, bufio.NewReader(conn)}
}

func (c *client) read() string {
	c.t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSuffix(line, "\n")
}

func (c *client) write(line string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c, line)
	require.NoError(c.t, err)
}

// ends waits for the end of the connection, and returns what came before it.
func (c *client) ends() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.lines)
	require.NoError(c.t, err)
	return string(rest)
}

// option is the value of an option of a socket.
func option(t *testing.T, of syscall.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := of.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) }))
	require.NoError(t, err)
	return value
}

// slow answers once it is asked to, and says when it has begun.
func slow() (s *tcpserver.Server, begun chan string, proceed chan bool) {
	begun, proceed = make(chan string, 10), make(chan bool)
	return &tcpserver.Server{Respond: func(line string) string {
		begun <- line
		<-proceed
		return "done " + line
	}}, begun, proceed
}

func Test01ReuseAddrIsSetBeforeBind(t *testing.T) {
	l, err := tcpserver.Listen(t.Context(), "127.0.0.1:0", 0)
	require.NoError(t, err)
	defer l.Close()
	require.NotZero(t, option(t, l.(*net.TCPListener), unix.SOL_SOCKET, unix.SO_REUSEADDR))
}

func Test02TheBacklogIsChosen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SetBacklog is for Linux")
	}
	l, err := tcpserver.Listen(t.Context(), "127.0.0.1:0", 2)
	require.NoError(t, err)
	defer l.Close()
	for range 3 { // a backlog of n holds n and one more
		c, err := net.DialTimeout("tcp", l.Addr().String(), time.Minute)
		require.NoError(t, err)
		defer c.Close()
	}
	_, err = net.DialTimeout("tcp", l.Addr().String(), 300*time.Millisecond)
	require.Error(t, err, "the queue is full, and the SYN is dropped")
}

func Test03ManyConnectionsHaveNoThreadEach(t *testing.T) {
	s := start(t, &tcpserver.Server{}, grace)
	before := threads(t)
	for range 200 {
		s.connect()
	}
	require.Less(t, threads(t)-before, 50)
}

// threads is the number of threads of this process.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	return len(tasks)
}

// recorded is a listener that keeps what it has accepted.
type recorded struct {
	net.Listener
	accepted chan *net.TCPConn
}

func (l recorded) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		// As systems without the default of package net have it.
		_ = c.(*net.TCPConn).SetNoDelay(false)
		l.accepted <- c.(*net.TCPConn)
	}
	return c, err
}

func Test04AcceptedConnectionsHaveNoDelay(t *testing.T) {
	l, err := tcpserver.Listen(t.Context(), "127.0.0.1:0", 0)
	require.NoError(t, err)
	in := recorded{l, make(chan *net.TCPConn, 1)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = (&tcpserver.Server{}).Serve(ctx, in, grace) }()
	(&started{t: t, addr: l.Addr().String()}).connect()
	require.NotZero(t, option(t, <-in.accepted, unix.IPPROTO_TCP, unix.TCP_NODELAY))
}

func Test05AGreetingThenAnEcho(t *testing.T) {
	c := start(t, &tcpserver.Server{}, grace).connect()
	for _, line := range []string{"one", "two"} {
		c.write(line)
		require.Equal(t, line, c.read())
	}
}

func Test06ThePeersCloseIsAnswered(t *testing.T) {
	c := start(t, &tcpserver.Server{}, grace).connect()
	require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
	require.Empty(t, c.ends(), "the server's FIN, and nothing before it")
}

func Test07AResetEndsThatConnectionOnly(t *testing.T) {
	s := start(t, &tcpserver.Server{MaxConns: 2}, grace)
	reset, other := s.connect(), s.connect()
	require.NoError(t, reset.Conn.(*net.TCPConn).SetLinger(0))
	require.NoError(t, reset.Close())
	s.placeIsFree()
	other.write("still here")
	require.Equal(t, "still here", other.read())
}

// placeIsFree waits until the server greets one more client.
func (s *started) placeIsFree() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		c := s.dial()
		defer c.Close()
		return c.read() == tcpserver.Hello
	}, time.Minute, 10*time.Millisecond)
}

func Test08AnErrorInAHandlerLeavesTheOthersAlone(t *testing.T) {
	s := start(t, &tcpserver.Server{Respond: func(line string) string {
		if line == "bad" {
			panic("no such order")
		}
		return line
	}}, grace)
	bad, other := s.connect(), s.connect()
	bad.write("bad")
	require.Empty(t, bad.ends())
	other.write("good")
	require.Equal(t, "good", other.read())
}

func Test09ConnectionsAreLimitedInTotalAndPerClient(t *testing.T) {
	s := start(t, &tcpserver.Server{MaxConns: 2, MaxPerClient: 1}, grace)
	first := s.connect()
	require.Equal(t, tcpserver.Busy+"\n", s.dial().ends(), "the second of one client")
	if runtime.GOOS == "linux" { // where all of 127.0.0.0/8 is the host's own
		s.from("127.0.0.2", tcpserver.Hello)
		s.from("127.0.0.3", tcpserver.Busy)
	}
	require.NoError(t, first.Close())
	s.placeIsFree()
}

// from connects from another address, and reads the first line.
func (s *started) from(ip, says string) {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := d.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	line, err := bufio.NewReader(c).ReadString('\n')
	require.NoError(s.t, err)
	require.Equal(s.t, says+"\n", line)
}

func Test10SignalsStopTheAccepting(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		ctx, stop := signal.NotifyContext(context.Background(), sig)
		l, err := tcpserver.Listen(t.Context(), "127.0.0.1:0", 0)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- (&tcpserver.Server{}).Serve(ctx, l, grace) }()
		(&started{t: t, addr: l.Addr().String()}).connect()
		require.NoError(t, syscall.Kill(os.Getpid(), sig))
		require.NoError(t, <-done, sig)
		stop()
		_, err = net.Dial("tcp", l.Addr().String())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
}

func Test11TheClientsAreTold(t *testing.T) {
	s := start(t, &tcpserver.Server{}, grace)
	c := s.connect()
	s.stop()
	require.Equal(t, tcpserver.Bye+"\n", c.ends())
	require.NoError(t, <-s.done)
}

func Test12WhatIsUnderWayMayEndWithinTheGrace(t *testing.T) {
	server, begun, proceed := slow()
	s := start(t, server, grace)
	c := s.connect()
	c.write("order")
	<-begun
	s.stop()
	close(proceed)
	require.Equal(t, "done order\n"+tcpserver.Bye+"\n", c.ends())
	require.NoError(t, <-s.done)
}

func Test13AfterTheGraceAllAreClosed(t *testing.T) {
	server, begun, proceed := slow()
	defer close(proceed)
	s := start(t, server, 50*time.Millisecond)
	c := s.connect()
	c.write("order")
	<-begun
	s.stop()
	require.EqualError(t, <-s.done, "cut off after 50ms: 1 of the connections")
	require.Empty(t, c.ends())
}

func Test14TheListenerIsClosedFirst(t *testing.T) {
	server, begun, proceed := slow()
	s := start(t, server, grace)
	c := s.connect()
	c.write("order")
	<-begun
	s.stop()
	require.Eventually(t, func() bool {
		other, err := net.Dial("tcp", s.addr)
		if err == nil {
			other.Close()
		}
		return err != nil
	}, time.Minute, 10*time.Millisecond, "a response is under way, and no other client may connect")
	close(proceed)
	require.Equal(t, "done order", c.read())
	require.NoError(t, <-s.done)
}

func Test15NoDescriptorIsLeft(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc: ", err)
		}
		return len(fds)
	}
	first := start(t, &tcpserver.Server{}, grace) // what the first use opens stays open
	first.stop()
	require.NoError(t, <-first.done)
	before := count()
	s := start(t, &tcpserver.Server{}, grace)
	var clients []*client
	for range 20 {
		clients = append(clients, s.connect())
	}
	require.GreaterOrEqual(t, count(), before+41, "the listener, and both ends of all")
	s.stop()
	require.NoError(t, <-s.done)
	for _, c := range clients {
		require.NoError(t, c.Close())
	}
	require.Eventually(t, func() bool { return count() <= before }, time.Minute, 10*time.Millisecond)
}

func Test16TheSamePortCanBeBoundAtOnce(t *testing.T) {
	s := start(t, &tcpserver.Server{}, grace)
	c := s.connect()
	s.stop()
	require.NoError(t, <-s.done)
	c.ends()
	require.NoError(t, c.Close())
	_, err := (&net.ListenConfig{Control: sockopt.ReuseAddr(false)}).Listen(t.Context(), "tcp", s.addr)
	require.ErrorIs(t, err, syscall.EADDRINUSE, "the server closed first: TIME_WAIT has its port")
	l, err := tcpserver.Listen(t.Context(), s.addr, 0)
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

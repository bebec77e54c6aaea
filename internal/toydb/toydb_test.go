package toydb_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptrace"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/toydb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = time.Minute

// serve starts a real server, and returns its address.
func serve(t *testing.T, b scenario.Server) string {
	t.Helper()
	b.Protocol = "toydb"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.New(server.Config{Behaviour: b, Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return l.Addr().String()
}

// script starts a server that plays one connection by hand, and returns its
// address and a function that waits until the client has closed the connection.
func script(t *testing.T, play func(conn net.Conn, lines *bufio.Reader)) (string, func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	played := make(chan error, 1)
	go func() {
		defer close(played)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(soon))
		play(conn, bufio.NewReader(conn))
		_ = conn.(*net.TCPConn).CloseWrite()
		if _, err = io.Copy(io.Discard, conn); errors.Is(err, syscall.ECONNRESET) {
			err = nil // closed with some of it unread
		}
		played <- err
	}()
	t.Cleanup(func() {
		l.Close()
		for range played {
		}
	})
	return l.Addr().String(), func() error { return <-played }
}

// waits plays a server that says nothing more.
func waits(conn net.Conn, _ *bufio.Reader) { _, _ = conn.Read(make([]byte, 1)) }

func open(t *testing.T, addr string) *toydb.Conn {
	t.Helper()
	conn, err := toydb.Open(context.Background(), addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestQueriesAreAnsweredInSequence(t *testing.T) {
	conn := open(t, serve(t, scenario.Server{}))
	for _, want := range []string{"1", "2", "3"} {
		row, err := conn.Query(context.Background(), "SELECT 1")
		require.NoError(t, err)
		require.Equal(t, want, row)
	}
}

func TestQueryIsSentAsOneLine(t *testing.T) {
	got := make(chan string, 1)
	addr, _ := script(t, func(conn net.Conn, lines *bufio.Reader) {
		_, _ = io.WriteString(conn, "READY\r\n") // as a server on Windows might
		line, _ := lines.ReadString('\n')
		got <- line
		_, _ = io.WriteString(conn, "ROW two words\n")
	})
	row, err := open(t, addr).Query(context.Background(), "SELECT price FROM articles")
	require.NoError(t, err)
	require.Equal(t, "two words", row)
	require.Equal(t, "SELECT price FROM articles\n", <-got)
}

func TestOpenWaitsForTheSetUp(t *testing.T) {
	const setUp = 100 * time.Millisecond
	addr := serve(t, scenario.Server{}.With(server.HandshakeDelayKey.Is(scenario.Duration(setUp))))
	begin := time.Now()
	open(t, addr)
	require.GreaterOrEqual(t, time.Since(begin), setUp)
}

func TestQueryWaitsForTheDelay(t *testing.T) {
	const delay = 100 * time.Millisecond
	conn := open(t, serve(t, scenario.Server{}.With(server.DelayKey.Is(scenario.Duration(delay)))))
	begin := time.Now()
	_, err := conn.Query(context.Background(), "SELECT 1")
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), delay)
}

func TestOpenWhereNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	_, err = toydb.Open(context.Background(), l.Addr().String())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestOpenThatFailsClosesTheConnection(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector would close it too
	tests := []struct{ name, greeting, want string }{
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n", `greeted with "HTTP/1.1 400 Bad Request", not READY`},
		{"an empty line", "\n", `greeted with "", not READY`},
		{"a line without end", strings.Repeat("x", 5000), bufio.ErrBufferFull.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			addr, closed := script(t, func(conn net.Conn, _ *bufio.Reader) {
				_, _ = io.WriteString(conn, test.greeting)
			})
			_, err := toydb.Open(context.Background(), addr)
			require.ErrorContains(t, err, test.want)
			require.NoError(t, closed())
		})
	}
}

func TestOpenWhenTheServerLeavesDuringTheSetUp(t *testing.T) {
	addr, _ := script(t, func(net.Conn, *bufio.Reader) {})
	_, err := toydb.Open(context.Background(), addr)
	require.Equal(t, io.EOF, err)
}

func TestOpenThatIsGivenUp(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	accepted := make(chan struct{})
	addr, closed := script(t, func(conn net.Conn, lines *bufio.Reader) {
		close(accepted)
		waits(conn, lines)
	})
	for patience := 50 * time.Millisecond; ; patience *= 2 { // it may be over before the dial begins
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := toydb.Open(ctx, addr)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		select {
		case <-accepted:
			require.NoError(t, closed())
			return
		default:
		}
	}
}

func TestQueryThatIsGivenUp(t *testing.T) {
	addr, _ := script(t, func(conn net.Conn, lines *bufio.Reader) {
		_, _ = io.WriteString(conn, "READY\n")
		_, _ = lines.ReadString('\n')
		waits(conn, lines)
	})
	conn := open(t, addr)
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(50*time.Millisecond, func() { cancel(nil) })
	_, err := conn.Query(ctx, "SELECT 1")
	require.Equal(t, context.Canceled, err)
}

// The answer may be there already: a connection whose query was given up is
// never handed back as good, since the deadline that woke it stays set.
func TestQueryThatWasGivenUpBeforeNeverSucceeds(t *testing.T) {
	addr := serve(t, scenario.Server{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 200 {
		conn, err := toydb.Open(context.Background(), addr)
		require.NoError(t, err)
		_, err = conn.Query(ctx, "SELECT 1")
		conn.Close()
		require.Equal(t, context.Canceled, err)
	}
}

func TestContextThatEndsAfterTheQueryDoesNoHarm(t *testing.T) {
	conn := open(t, serve(t, scenario.Server{}))
	for range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := conn.Query(ctx, "SELECT 1")
		cancel()
		require.NoError(t, err)
	}
}

func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name, answer string
		check        func(t *testing.T, err error)
	}{
		{"not a row", "ERROR no such table\n", func(t *testing.T, err error) {
			require.EqualError(t, err, `toydb: the server answered "ERROR no such table", not a row`)
		}},
		{"nothing", "", func(t *testing.T, err error) { require.Equal(t, io.EOF, err) }},
		{"half a line", "ROW", func(t *testing.T, err error) { require.Equal(t, io.EOF, err) }},
		{"a line without end", "ROW " + strings.Repeat("x", 5000), func(t *testing.T, err error) {
			require.Equal(t, bufio.ErrBufferFull, err)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			addr, _ := script(t, func(conn net.Conn, lines *bufio.Reader) {
				_, _ = io.WriteString(conn, "READY\n")
				_, _ = lines.ReadString('\n')
				_, _ = io.WriteString(conn, test.answer)
			})
			row, err := open(t, addr).Query(context.Background(), "SELECT 1")
			require.Empty(t, row)
			test.check(t, err)
		})
	}
}

func TestQueryOnAConnectionThatTheServerClosed(t *testing.T) {
	conn := open(t, serve(t, scenario.Server{}.With(server.CloseAfterKey.Is(1))))
	_, err := conn.Query(context.Background(), "SELECT 1")
	require.NoError(t, err)
	_, err = conn.Query(context.Background(), "SELECT 1")
	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET), "%v", err)
}

func TestQueryOnAClosedConnection(t *testing.T) {
	conn := open(t, serve(t, scenario.Server{}))
	require.NoError(t, conn.Close())
	_, err := conn.Query(context.Background(), "SELECT 1")
	require.ErrorIs(t, err, net.ErrClosed)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestTracerLearnsOfTheDialAndOfEveryQuery(t *testing.T) {
	addr := serve(t, scenario.Server{})
	var dialled int
	var used []net.Conn
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		ConnectDone: func(network, to string, err error) {
			require.NoError(t, err)
			require.Equal(t, addr, to)
			dialled++
		},
		GotConn: func(info httptrace.GotConnInfo) { used = append(used, info.Conn) },
	})
	conn, err := toydb.Open(ctx, addr)
	require.NoError(t, err)
	defer conn.Close()
	require.Empty(t, used, "to open a connection is not to use it")
	for range 3 {
		_, err = conn.Query(ctx, "SELECT 1")
		require.NoError(t, err)
	}
	require.Equal(t, 1, dialled)
	require.Len(t, used, 3)
	require.Equal(t, addr, used[0].RemoteAddr().String())
	require.Same(t, used[0], used[2])
}

func TestCheckSeesWhatTheServerDid(t *testing.T) {
	t.Run("an idle connection is good, also after a query", func(t *testing.T) {
		conn := open(t, serve(t, scenario.Server{}))
		for n := range 3 {
			require.NoError(t, conn.Check())
			require.Equal(t, n, conn.Queries())
			require.NoError(t, conn.Ping(context.Background()))
		}
	})
	t.Run("closed by the server", func(t *testing.T) {
		conn := open(t, serve(t, scenario.Server{}.With(server.CloseAfterKey.Is(1))))
		_, err := conn.Query(context.Background(), "SELECT 1")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return errors.Is(conn.Check(), io.EOF) }, soon, time.Millisecond)
	})
	t.Run("something that nobody asked for", func(t *testing.T) {
		addr, _ := script(t, func(conn net.Conn, _ *bufio.Reader) {
			_, _ = io.WriteString(conn, toydb.Greeting+"\nBYE\n")
		})
		conn := open(t, addr)
		require.Eventually(t, func() bool { return conn.Check() != nil }, soon, time.Millisecond)
		require.ErrorContains(t, conn.Check(), "nobody asked for")
	})
}

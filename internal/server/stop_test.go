package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/toydb"
)

var withRequests = []string{"http", "toydb"}

func isRefused(addr string) func() bool {
	return func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}
}

func TestStopOfAnIdleServer(t *testing.T) {
	t.Parallel()
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			server := start(t, scenario.Server{Protocol: protocol})
			require.NoError(t, server.stop())
			require.True(t, isRefused(server.addr)())
			_, err := server.listener.Accept()
			require.ErrorIs(t, err, net.ErrClosed, "Serve closes the listener")
		})
	}
}

func TestStopBeforeTheStart(t *testing.T) {
	t.Parallel()
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			server := New(Config{Behaviour: scenario.Server{Protocol: protocol}, Log: slog.New(slog.DiscardHandler)})
			require.NoError(t, server.Serve(ctx, l))
			_, err = l.Accept()
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

func TestServeReturnsTheErrorOfItsListener(t *testing.T) {
	t.Parallel()
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			server := start(t, scenario.Server{Protocol: protocol}.With(NoResponseKey.Is(true)))
			conn := server.dial(t)
			send(t, conn, request)
			eventually(t, "the request is in progress", func() bool { return server.InProgress() > 0 })
			server.listener.Close() // as nobody should
			eventually(t, "the connection is gone", func() bool {
				_, err := io.Copy(io.Discard, conn)
				return err == nil || errors.Is(err, syscall.ECONNRESET)
			})
			require.ErrorIs(t, server.stop(), net.ErrClosed)
			server.working(t, 0)
		})
	}
}

// brokenListener cannot accept.
type brokenListener struct{ net.Listener }

var errBroken = errors.New("broken")

func (brokenListener) Accept() (net.Conn, error) { return nil, errBroken }

func TestListenerThatFailsIsClosed(t *testing.T) {
	t.Parallel()
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			server := New(Config{Behaviour: scenario.Server{Protocol: protocol}, Log: slog.New(slog.DiscardHandler)})
			require.ErrorIs(t, server.Serve(context.Background(), brokenListener{l}), errBroken)
			_, err = l.Accept()
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

// The requests' bodies arrive in part before the stop, and in part after it.
func TestRequestsUnderWayAreAnsweredWhenTheServerStops(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(GraceKey.Is(forever)))
	idle := server.dial(t)
	send(t, idle, request)
	_, err := http.ReadResponse(bufio.NewReader(idle), nil)
	require.NoError(t, err)

	var conns []net.Conn
	for range 3 {
		conn := server.dial(t)
		send(t, conn, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
		conns = append(conns, conn)
	}
	server.working(t, 3)
	stopped := make(chan error, 1)
	go func() { stopped <- server.stop() }()
	eventually(t, "new connections are refused", isRefused(server.addr))
	_, err = io.Copy(io.Discard, idle)
	require.NoError(t, err, "an idle connection is closed")
	require.EqualValues(t, 3, server.InProgress())

	for _, conn := range conns {
		require.Empty(t, stopped, "it stopped with requests under way")
		send(t, conn, "world")
		answers := bufio.NewReader(conn)
		resp, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		body, err := io.ReadAll(answers)
		require.NoError(t, err)
		require.Contains(t, string(body), "answered after")
	}
	require.NoError(t, <-stopped)
	server.answered(t, 4)
}

func TestDelayedAnswersAreGivenWhenTheServerStops(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(scenario.Duration(3*short)), GraceKey.Is(forever)))
	conn := server.dial(t)
	send(t, conn, request)
	server.working(t, 1)
	require.NoError(t, server.stop())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestRequestsAreCutOffWhenTheGraceIsOver(t *testing.T) {
	t.Parallel()
	tests := []struct{ protocol, request, want string }{
		{"http", request, "3 requests were not answered within the grace of 100ms and were cut off"},
		{"toydb", "SELECT 1\n", "3 queries were not answered within the grace of 100ms and were cut off"},
	}
	for _, test := range tests {
		for when, never := range neverAnswers {
			t.Run(test.protocol+" "+when, func(t *testing.T) {
				t.Parallel()
				server := start(t, scenario.Server{Protocol: test.protocol}.With(never, GraceKey.Is(scenario.Duration(short))))
				var conns []net.Conn
				for range 3 {
					conn := server.dial(t)
					send(t, conn, test.request)
					conns = append(conns, conn)
				}
				server.working(t, 3)
				require.EqualError(t, server.stop(), test.want)
				server.working(t, 0)
				for _, conn := range conns {
					got, err := io.ReadAll(conn)
					require.NoError(t, err)
					require.NotContains(t, string(got), "ROW")
					require.NotContains(t, string(got), "HTTP")
				}
				require.Zero(t, server.work.answered.Load())
			})
		}
	}
}

// As a transport leaves behind that dialled for a request and then gave it
// another connection.
func TestConnectionThatAskedForNothingDoesNotCountAsCutOff(t *testing.T) {
	t.Parallel()
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			server := start(t, scenario.Server{Protocol: protocol}.With(HandshakeDelayKey.Is(forever), GraceKey.Is(scenario.Duration(short))))
			conn := server.dial(t)
			eventually(t, "it is accepted", func() bool { accepted, _ := held(t, server.addr); return accepted == 1 })
			require.NoError(t, server.stop())
			_, err := io.Copy(io.Discard, conn)
			require.NoError(t, err)
		})
	}
}

// lateListener gives a connection after it was told to stop, as accept(2) can.
type lateListener struct {
	net.Listener
	stopped <-chan struct{}
	conn    net.Conn
}

func (l *lateListener) Accept() (net.Conn, error) {
	<-l.stopped
	return l.conn, nil
}

func TestConnectionAcceptedAsTheServerStopsIsClosed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	accepted, err := l.Accept()
	require.NoError(t, err)
	defer accepted.Close()

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	server := New(Config{Behaviour: scenario.Server{Protocol: "toydb"}})
	require.NoError(t, server.Serve(ctx, &lateListener{Listener: l, stopped: ctx.Done(), conn: accepted}))
	_, err = accepted.Write([]byte(toydb.Greeting))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestServeFuncIsUsedInPlaceOfTheLabsServer(t *testing.T) {
	t.Parallel()
	errMine := errors.New("stopped in my own way")
	server := start(t, scenario.Server{}.With(IdleTimeoutKey.Is(forever), CloseAfterKey.Is(1), BodyKey.Is(3)), func(c *Config) {
		c.Serve = func(ctx context.Context, l net.Listener, h http.Handler) error {
			own := &http.Server{Handler: h}
			context.AfterFunc(ctx, func() { own.Close() })
			_ = own.Serve(l)
			return errMine
		}
	})
	for range 3 {
		resp, body := server.get(t)
		require.Equal(t, "xxx", body)
		require.False(t, resp.Close, "close_after is for Serve to keep")
		require.Empty(t, resp.Header.Values("Keep-Alive"), "nor is it promised")
	}
	server.answered(t, 3)
	require.Equal(t, errMine, server.stop())
}

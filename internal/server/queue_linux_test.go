package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// listening starts a server on a listener that is as b says.
func listening(t *testing.T, b scenario.Server) (addr string, stop func() error) {
	t.Helper()
	l, err := Listen("127.0.0.1:0", b)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- New(Config{Behaviour: b, Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l) }()
	var ended error
	done := false
	stop = func() error {
		if cancel(); !done {
			ended, done = <-served, true
		}
		return ended
	}
	t.Cleanup(func() { _ = stop() })
	return l.Addr().String(), stop
}

// sockets lists those at a server's port, of either end.
func sockets(t *testing.T, at netip.AddrPort) []socketstats.Socket {
	t.Helper()
	source, err := socketstats.OpenSource("sockdiag")
	require.NoError(t, err)
	found, err := source.Sockets(context.Background(), socketstats.Query{Ports: []uint16{at.Port()}})
	require.NoError(t, err)
	return found
}

// filled dials until the queue takes no more, and returns the connections.
func filled(t *testing.T, addr string) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for {
		// Without an answer at once there is none before the first SYN is
		// sent again, which is a second later (tcp(7), RFC 6298 section 2.1).
		conn, err := net.DialTimeout("tcp", addr, 500*time.Millisecond)
		if err != nil {
			// Which error it is depends on who noticed first, the context or the
			// socket's deadline: context.DeadlineExceeded or os.ErrDeadlineExceeded.
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			require.True(t, timeout.Timeout(), "%v", err)
			return conns
		}
		t.Cleanup(func() { conn.Close() })
		conns = append(conns, conn)
	}
}

func TestDeafServerTakesOneConnectionAndHearsNoOther(t *testing.T) {
	t.Parallel()
	addr, stop := listening(t, scenario.Server{}.With(NoAcceptKey.Is(true)))
	conns := filled(t, addr)
	require.Len(t, conns, 1)
	accepted, waiting := held(t, addr)
	require.Equal(t, 0, accepted)
	require.Equal(t, 1, waiting)

	// What waits for an answer to its SYN, and who: the kernel knows.
	ctx, cancel := context.WithCancel(context.Background())
	dialled := make(chan error, 1)
	go func() {
		var d net.Dialer
		_, err := d.DialContext(ctx, "tcp", addr)
		dialled <- err
	}()
	at := netip.MustParseAddrPort(addr)
	eventually(t, "a client waits for an answer to its SYN", func() bool {
		return slices.ContainsFunc(sockets(t, at), func(s socketstats.Socket) bool {
			return s.Remote == at && s.State == socketstats.SynSent
		})
	})
	cancel()
	require.ErrorIs(t, <-dialled, context.Canceled)

	send(t, conns[0], request)
	require.NoError(t, stop())
	_, err := conns[0].Read(make([]byte, 1))
	require.Error(t, err, "a listener that is closed resets what it did not accept")
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded))
}

func TestBacklogIsHowManyWait(t *testing.T) {
	t.Parallel()
	// Silent with one connection accepted at a time: the rest waits.
	addr, _ := listening(t, scenario.Server{}.With(NoReadKey.Is(true), MaxConnsKey.Is(1), BacklogKey.Is(3)))
	first, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { first.Close() })
	eventually(t, "it is accepted", func() bool { accepted, _ := held(t, addr); return accepted == 1 })
	require.Len(t, filled(t, addr), 3+1, "the kernel takes one more than it is told")
}

func TestSilentServerNeitherReadsNorWrites(t *testing.T) {
	t.Parallel()
	for _, name := range NoReadKey.Speakers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, scenario.Server{Protocol: name}.With(NoReadKey.Is(true)), func(c *Config) { c.Peers = peers("127.0.0.1:1") })
			conn := server.dial(t)
			send(t, conn, request)
			server.served(t, Served{Accepted: 1})
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			// Nobody reads the FIN.
			at := netip.MustParseAddrPort(server.addr)
			eventually(t, "it is in CLOSE_WAIT", func() bool {
				_, counts := socketstats.Count(sockets(t, at), at)
				return counts.Of(socketstats.CloseWait) == 1
			})
			server.served(t, Served{Accepted: 1})
			require.NoError(t, server.stop())
			_, err := io.ReadAll(conn)
			require.Error(t, err, "closed with the request unread, it is reset")
		})
	}
}

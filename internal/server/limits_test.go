package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

const short = 100 * time.Millisecond

// closedAfter waits until the server closes conn, and returns how long after
// since that was.
func closedAfter(t *testing.T, conn io.Reader, since time.Time) time.Duration {
	t.Helper()
	n, err := io.Copy(io.Discard, conn)
	require.NoError(t, err, "the server should have closed the connection in good order")
	require.Zero(t, n)
	return time.Since(since)
}

func TestIdleConnectionIsClosedAfterItsTimeout(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(IdleTimeoutKey.Is(scenario.Duration(short))))
	conn := server.dial(t)
	before := time.Now()
	send(t, conn, request)
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.GreaterOrEqual(t, closedAfter(t, answers, before), short)
}

func TestConnectionWhoseHeaderTakesTooLongIsClosed(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(ReadHeaderTimeoutKey.Is(scenario.Duration(short))))
	before := time.Now()
	conn := server.dial(t)
	send(t, conn, "GET / HTTP/1.1\r\nHost: te")
	require.GreaterOrEqual(t, closedAfter(t, conn, before), short)
	require.Zero(t, server.work.answered.Load())
}

func TestConnectionWhoseAnswerTakesTooLongIsClosed(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(WriteTimeoutKey.Is(scenario.Duration(short)), DelayKey.Is(scenario.Duration(2*short))))
	before := time.Now()
	conn := server.dial(t)
	send(t, conn, request)
	require.GreaterOrEqual(t, closedAfter(t, conn, before), short)
}

func TestOneConnectionTooManyWaitsUnaccepted(t *testing.T) {
	t.Parallel()
	for protocol, request := range map[string]string{"http": request, "toydb": "SELECT 1\n"} {
		t.Run(protocol, func(t *testing.T) {
			server := start(t, scenario.Server{Protocol: protocol}.With(MaxConnsKey.Is(2), NoResponseKey.Is(true)))
			first, second := server.dial(t), server.dial(t)
			send(t, first, request)
			send(t, second, request)
			server.working(t, 2)
			third := server.dial(t)
			send(t, third, request)

			// Only the kernel can tell a connection that waits from one that
			// is accepted and not served: nobody holds it.
			accepted, waiting := held(t, server.addr)
			require.Equal(t, 2, accepted)
			require.Equal(t, 1, waiting)
			require.EqualValues(t, 2, server.InProgress())

			first.Close()
			eventually(t, "the third is accepted when the first has left", func() bool {
				accepted, waiting := held(t, server.addr)
				return accepted == 2 && waiting == 0
			})
			server.working(t, 2)
			require.EqualValues(t, 1, server.work.left.Load())
		})
	}
}

// held counts the server's established connections: those that this process
// has accepted, and those that wait for it.
func held(t *testing.T, addr string) (accepted, waiting int) {
	t.Helper()
	at := netip.MustParseAddrPort(addr)
	sockets, err := socketstats.Gopsutil{}.Sockets(context.Background(), socketstats.Query{Ports: []uint16{at.Port()}, Owners: true, OwnersAmong: []int32{int32(os.Getpid())}})
	require.NoError(t, err)
	for _, s := range sockets {
		end, ok := s.EndOf(at)
		if !ok || end != socketstats.Server || s.State != socketstats.Established {
			continue
		}
		if s.PID == int32(os.Getpid()) {
			accepted++
		} else {
			waiting++
		}
	}
	return accepted, waiting
}

func TestServerWithoutALimitAcceptsEveryConnection(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(NoResponseKey.Is(true)))
	var conns []net.Conn
	for range 50 {
		conn := server.dial(t)
		send(t, conn, request)
		conns = append(conns, conn)
	}
	server.working(t, int64(len(conns)))
}

package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// stubSource answers with what it holds, and counts how often it was asked.
type stubSource struct {
	sockets func(port uint16) []socketstats.Socket
	err     atomic.Pointer[error]
	asked   atomic.Int64
	queries chan socketstats.Query
}

func (s *stubSource) Name() string { return "stub" }

func (s *stubSource) UnsupportedStates() []socketstats.State { return nil }
func (s *stubSource) Close() error                           { return nil }

func (s *stubSource) Sockets(_ context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	s.asked.Add(1)
	select {
	case s.queries <- q:
	default:
	}
	if err := s.err.Load(); err != nil {
		return nil, *err
	}
	return s.sockets(q.Ports[0]), nil
}

func reportTo(source socketstats.Source, every time.Duration) func(*Config) {
	return func(c *Config) { c.Source, c.ReportEvery = source, every }
}

func TestReportIsWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	source := &stubSource{
		queries: make(chan socketstats.Query, 1),
		sockets: func(port uint16) []socketstats.Socket {
			server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
			peer := func(n uint16) netip.AddrPort { return netip.AddrPortFrom(server.Addr(), n) }
			return []socketstats.Socket{
				{Local: server, State: socketstats.Listen},
				{Local: server, Remote: peer(1), State: socketstats.Established},
				{Local: server, Remote: peer(2), State: socketstats.Established},
				{Local: server, Remote: peer(3), State: socketstats.CloseWait},
				// The client's ends are not the server's.
				{Local: peer(1), Remote: server, State: socketstats.Established},
				{Local: peer(4), Remote: server, State: socketstats.TimeWait},
			}
		},
	}
	server := start(t, scenario.Server{}.With(NoResponseKey.Is(true)), reportTo(source, 5*time.Millisecond))
	send(t, server.dial(t), request)
	server.working(t, 1)
	require.Equal(t, []uint16{netip.MustParseAddrPort(server.addr).Port()}, (<-source.queries).Ports)

	var last map[string]any
	eventually(t, "a report tells of the request", func() bool {
		for _, line := range server.log.lines(t, "sockets") {
			last = line
		}
		return last["in_progress"] == 1.0
	})
	delete(last, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "sockets",
		"in_progress": 1.0, "answered": 0.0, "client_left": 0.0,
		"ESTABLISHED": 2.0, "CLOSE_WAIT": 1.0, "LISTEN": 1.0,
	}, last)
}

func TestReportCountsAnswersAndClientsThatLeft(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	server := start(t, scenario.Server{}, reportTo(source, 5*time.Millisecond))
	server.get(t)
	server.get(t)
	conn := server.dial(t)
	send(t, conn, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
	server.working(t, 1)
	conn.Close()
	eventually(t, "a report tells of all three", func() bool {
		for _, line := range server.log.lines(t, "sockets") {
			if line["answered"] == 2.0 && line["client_left"] == 1.0 && line["in_progress"] == 0.0 && line["ESTABLISHED"] == 0.0 {
				return true
			}
		}
		return false
	})
}

func TestReportGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	broken := errors.New("no such table")
	source.err.Store(&broken)
	server := start(t, scenario.Server{}, reportTo(source, 5*time.Millisecond))
	eventually(t, "the error is logged", func() bool {
		lines := server.log.lines(t, "cannot count sockets")
		return len(lines) > 1 && lines[0]["error"] == "no such table" && lines[0]["level"] == "ERROR"
	})
	require.Empty(t, server.log.lines(t, "sockets"), "no figures where nothing was counted")
	source.err.Store(nil)
	eventually(t, "there are reports again", func() bool { return len(server.log.lines(t, "sockets")) > 0 })
}

func TestNoReportAfterServeReturned(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	server := start(t, scenario.Server{}, reportTo(source, time.Millisecond))
	eventually(t, "reports are made", func() bool { return source.asked.Load() > 3 })
	require.NoError(t, server.stop())
	asked := source.asked.Load()
	time.Sleep(20 * time.Millisecond) // twenty reports' time
	require.Equal(t, asked, source.asked.Load())
}

func TestReportsAreStillMadeWhileTheServerDrains(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	server := start(t, scenario.Server{}.With(GraceKey.Is(forever)), reportTo(source, time.Millisecond))
	conn := server.dial(t)
	send(t, conn, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
	server.working(t, 1)
	stopped := make(chan error, 1)
	go func() { stopped <- server.stop() }()
	eventually(t, "it drains", isRefused(server.addr))
	asked := source.asked.Load()
	eventually(t, "it reports", func() bool { return source.asked.Load() > asked+3 })
	conn.Close()
	require.NoError(t, <-stopped)
}

func TestNoReportsWhenNoneAreAskedFor(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	server := start(t, scenario.Server{}.With(DelayKey.Is(scenario.Duration(short))), reportTo(source, 0))
	server.get(t)
	require.NoError(t, server.stop())
	require.Zero(t, source.asked.Load())
}

func TestGopsutilIsTheSourceThatIsUsedWithoutOne(t *testing.T) {
	require.Equal(t, "gopsutil", New(Config{}).cfg.Source.Name())
}

// With the real source: what is logged is what the kernel holds.
func TestReportedConnectionsAreTheHeldOnes(t *testing.T) {
	t.Parallel()
	const conns = 7
	for _, protocol := range withRequests {
		t.Run(protocol, func(t *testing.T) {
			server := start(t, scenario.Server{Protocol: protocol}, reportTo(socketstats.Gopsutil{}, 20*time.Millisecond))
			reported := func(n float64) func() bool {
				return func() bool {
					lines := server.log.lines(t, "sockets")
					return len(lines) > 0 && lines[len(lines)-1]["ESTABLISHED"] == n && lines[len(lines)-1]["LISTEN"] == 1.0
				}
			}
			eventually(t, "none are reported", reported(0))
			var open []net.Conn
			for range conns {
				open = append(open, server.dial(t))
			}
			eventually(t, "all are reported", reported(conns))
			for _, conn := range open {
				conn.Close()
			}
			eventually(t, "none are left", reported(0))
			require.NoError(t, server.stop())
			for _, line := range server.log.lines(t, "sockets") {
				require.LessOrEqual(t, line["ESTABLISHED"], float64(conns))
			}
		})
	}
}

func TestReportsGoToTheirOwnLog(t *testing.T) {
	t.Parallel()
	source := &stubSource{sockets: func(uint16) []socketstats.Socket { return nil }}
	reports := &logBuffer{}
	server := start(t, scenario.Server{}, reportTo(source, time.Millisecond), func(c *Config) {
		c.ReportLog = slog.New(slog.NewJSONHandler(reports, nil)).With("source", source.Name())
	})
	eventually(t, "there is a report", func() bool { return len(reports.lines(t, "sockets")) > 0 })
	require.Equal(t, "stub", reports.lines(t, "sockets")[0]["source"])
	require.NoError(t, server.stop())
	require.Empty(t, server.log.lines(t, "sockets"))
}

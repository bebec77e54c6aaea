package server

import (
	"context"
	"net"
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
)

// report logs, until ctx is done, what the server works on and what sockets it
// has. It asks the kernel: a count of its own would not know of connections
// that wait to be accepted, or that linger after Close.
func (s *Server) report(ctx context.Context, addr net.Addr) {
	if s.cfg.ReportEvery <= 0 {
		return
	}
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		s.cfg.Log.Error("cannot report sockets", "address", addr.String(), "error", err)
		return
	}
	tick := time.NewTicker(s.cfg.ReportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sockets, err := s.cfg.Source.Sockets(ctx, socketstats.Query{Ports: []uint16{at.Port()}})
		if err != nil {
			if ctx.Err() == nil {
				s.cfg.Log.Error("cannot count sockets", "error", err)
			}
			continue
		}
		_, counts := socketstats.Count(sockets, at)
		attrs := []any{
			"in_progress", s.InProgress(),
			"answered", s.work.answered.Load(),
			"client_left", s.work.left.Load(),
		}
		for _, state := range socketstats.States() {
			if n := counts.Of(state); n > 0 || state == socketstats.Established {
				attrs = append(attrs, state.String(), n)
			}
		}
		s.cfg.ReportLog.Info("sockets", attrs...)
	}
}

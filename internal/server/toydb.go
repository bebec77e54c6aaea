package server

import (
	"bufio"
	"context"
	"fmt"
	"net"

	"socketlab/internal/scenario"
	"socketlab/internal/toydb"
)

// serveToyDB is the serveFunc of the toydb protocol.
func (s *Server) serveToyDB(draining, cut context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, leave := context.WithCancel(cut)
	defer leave()
	// The reader notices a client that leaves, also in mid-delay; the room for
	// queries sent ahead is there so that it can read on to the end.
	const ahead = 1000
	queries := make(chan struct{}, ahead)
	go func() {
		defer leave()
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			select {
			case queries <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	if !pause(ctx, s.cfg.Behaviour.HandshakeDelay.D()) {
		return
	}
	if _, err := fmt.Fprintln(conn, toydb.Greeting); err != nil {
		return
	}
	for served := 1; ; served++ {
		select {
		case <-ctx.Done():
			return
		case <-draining.Done():
			return
		case <-queries:
		}
		if draining.Err() != nil { // both were ready
			return
		}
		if !s.answerQuery(ctx, conn, served) {
			return
		}
		if n := s.cfg.Behaviour.CloseAfter; n > 0 && served >= n {
			return
		}
	}
}

// answerQuery answers the n-th query of a connection, and reports whether the
// connection can bring another.
func (s *Server) answerQuery(ctx context.Context, c net.Conn, n int) bool {
	s.work.inProgress.Add(1)
	defer s.work.inProgress.Add(-1)
	way := s.way(s.work.begin(n))
	over := &s.work.left
	defer func() { over.Add(1) }()

	done, ok := s.acquireWorker(ctx)
	if !ok {
		return false
	}
	defer done()
	if way == scenario.Hangs {
		<-ctx.Done()
		return false
	}
	if !s.wait(ctx) {
		return false
	}
	over = &s.work.cut
	switch way {
	case scenario.Closes:
		return false
	case scenario.Resets:
		if known := s.conns.of(c.RemoteAddr().String()); known != nil {
			known.reset()
		}
		return false
	}
	if _, err := fmt.Fprintf(c, "ROW %d\n", n); err != nil {
		return false
	}
	over = &s.work.answered
	return true
}

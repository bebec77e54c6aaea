package slowserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"socketlab/internal/rowdb"
)

// serveRows serves the rowdb protocol until ctx is done, then drains.
func (s *Server) serveRows(ctx context.Context, l net.Listener) error {
	defer l.Close()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	// Connections outlive ctx by the grace: a query under way is answered.
	conns, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var open sync.WaitGroup
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			break
		}
		var temporary interface{ Temporary() bool }
		if errors.As(err, &temporary) && temporary.Temporary() {
			s.cfg.Log.Warn("cannot accept", "error", err)
			time.Sleep(10 * time.Millisecond) // out of descriptors: as net/http does, wait for some to come back
			continue
		}
		if err != nil {
			cut()
			open.Wait()
			return err
		}
		open.Go(func() { s.serveConn(ctx, conns, conn) })
	}
	return s.drainRows(&open, cut)
}

func (s *Server) drainRows(open *sync.WaitGroup, cut func()) error {
	closed := make(chan struct{})
	go func() {
		open.Wait()
		close(closed)
	}()
	grace := time.NewTimer(s.cfg.Behaviour.Grace.D())
	defer grace.Stop()
	select {
	case <-closed:
		return nil
	case <-grace.C:
		err := s.unanswered("queries")
		cut()
		<-closed
		return err
	}
}

// serveConn answers the queries of one connection, until the client leaves,
// draining is done between two queries, or cut is done.
func (s *Server) serveConn(draining, cut context.Context, conn net.Conn) {
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
	if !pause(ctx, s.cfg.Behaviour.SetUp.D()) {
		return
	}
	if _, err := fmt.Fprintln(conn, rowdb.Greeting); err != nil {
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
		s.work.begin(served)
		if !s.answerRow(ctx, conn, served) {
			return
		}
		if n := s.cfg.Behaviour.CloseAfter; n > 0 && served >= n {
			return
		}
	}
}

func (s *Server) answerRow(ctx context.Context, conn net.Conn, n int) bool {
	s.work.inProgress.Add(1)
	defer s.work.inProgress.Add(-1)
	if !s.wait(ctx) {
		s.work.left.Add(1)
		return false
	}
	if _, err := fmt.Fprintf(conn, "ROW %d\n", n); err != nil {
		s.work.cut.Add(1)
		return false
	}
	s.work.answered.Add(1)
	return true
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

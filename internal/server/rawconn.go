package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"socketlab/internal/scenario"
)

var NoReadKey = scenario.NewKey[bool](&tcpKeys, scenario.Key{
	Name: "no_read", Text: "accept connections, and neither read nor write",
})

// serveFunc serves one connection until its client leaves, or draining is
// done between two requests, or cut is done. It closes the connection.
type serveFunc func(draining, cut context.Context, c net.Conn)

// hold is the serveFunc of a silent server: it neither reads nor writes, so it
// does not notice that its client has left either.
func (s *Server) hold(_, cut context.Context, c net.Conn) {
	defer c.Close()
	known := s.conns.of(c.RemoteAddr().String())
	if known == nil { // the server went down meanwhile
		return
	}
	select {
	case <-cut.Done():
	case <-known.gone:
	}
}

// serveConns serves each connection with serve until ctx is done, then drains.
func (s *Server) serveConns(ctx context.Context, l net.Listener, serve serveFunc) error {
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
		open.Go(func() { serve(ctx, conns, conn) })
	}
	return s.drain(&open, cut)
}

func (s *Server) drain(open *sync.WaitGroup, cut func()) error {
	closed := make(chan struct{})
	go func() {
		open.Wait()
		close(closed)
	}()
	grace := time.NewTimer(GraceKey.Of(s.cfg.Behaviour).D())
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

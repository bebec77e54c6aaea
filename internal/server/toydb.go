package server

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/toydb"
)

var toyDBKeys scenario.KeySet

// HandshakeDelayKey makes a new connection of toydb cost time.
var HandshakeDelayKey = scenario.NewKey[scenario.Duration](&toyDBKeys, scenario.Key{
	Name: "handshake_delay", Text: "make each new connection wait this long before its first query",
})

// MaxAgeKey is the limit that a firewall or balancer in front of a database has:
// it no longer knows an old connection, and answers its next packet with a reset.
var MaxAgeKey = scenario.NewKey[scenario.Duration](&toyDBKeys, scenario.Key{
	Name: "max_age", Text: "reset a connection that is older than this when its next query comes; 0 for never",
})

func init() {
	register(scenario.Protocol{
		Name: "toydb", Text: "a toy database protocol over raw TCP: a line for a query, a line for a row",
		Keys: slices.Concat(toyDBKeys, requestKeys, tcpKeys), Check: checkToyDB,
	}, toyDB{})
}

// checkToyDB refuses responses that a line cannot be.
func checkToyDB(s scenario.Server, _ []scenario.Server) (at, problem string) {
	ways := []string{wayWhole, wayNoResponse, wayClose, wayReset}
	for i, way := range ResponsesKey.Of(s) {
		if !slices.Contains(ways, way) {
			return fmt.Sprintf("responses[%d]", i), fmt.Sprintf("has %q, and a row is one line without a middle: use some of %s", way, strings.Join(ways, ", "))
		}
	}
	return "", ""
}

type toyDB struct{ tcp }

func (toyDB) open(s *Server) speaker { return toyDBServer{s} }

type toyDBServer struct{ *Server }

func (s toyDBServer) serve(ctx context.Context, at Socket) error {
	return s.serveTCP(ctx, at, func(ctx context.Context, l net.Listener, _ *boundListener) error {
		return s.serveConns(ctx, l, s.serveConn)
	})
}

// serveConn is a serveFunc.
func (s toyDBServer) serveConn(draining, cut context.Context, conn net.Conn) {
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
	accepted := time.Now()
	if !pause(ctx, HandshakeDelayKey.Of(s.cfg.Behaviour).D()) {
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
		if age := MaxAgeKey.Of(s.cfg.Behaviour).D(); age > 0 && time.Since(accepted) > age {
			s.resetConn(conn)
			return
		}
		if !s.answerQuery(ctx, conn, served) {
			return
		}
		if n := CloseAfterKey.Of(s.cfg.Behaviour); n > 0 && served >= n {
			return
		}
	}
}

// answerQuery answers the n-th query of a connection, and reports whether the
// connection can bring another.
func (s toyDBServer) answerQuery(ctx context.Context, c net.Conn, n int) bool {
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
	if way == wayNoResponse {
		<-ctx.Done()
		return false
	}
	if !s.wait(ctx) {
		return false
	}
	over = &s.work.cut
	switch way {
	case wayClose:
		return false
	case wayReset:
		s.resetConn(c)
		return false
	}
	if _, err := fmt.Fprintf(c, "ROW %d\n", n); err != nil {
		return false
	}
	over = &s.work.answered
	return true
}

// resetConn closes a connection with a RST.
func (s toyDBServer) resetConn(c net.Conn) {
	if known := s.conns.of(c.RemoteAddr().String()); known != nil {
		known.reset()
	}
}

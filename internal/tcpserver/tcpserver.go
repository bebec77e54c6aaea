// Package tcpserver is a complete server over raw TCP, short enough to be read: it greets,
// answers each line with a line, limits its connections, and stops in order. Its tests
// have a number for each thing that such a server must do.
package tcpserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"socketlab/internal/sockopt"
)

// What the server says by itself, a line each.
const (
	Hello = "hello"
	Busy  = "busy" // above a limit; then it closes
	Bye   = "bye"  // it is stopping; then it closes
)

// Server answers lines with lines. The zero Server sends each line back, and has no
// limits. A Server serves once.
type Server struct {
	// Respond makes the response to a line. A panic in it ends its connection only.
	// nil sends the line back.
	Respond func(line string) string
	// MaxConns limits the connections in total, and MaxPerClient those of one address;
	// 0 is no limit.
	MaxConns, MaxPerClient int

	mu       sync.Mutex // guards what follows, and the sessions
	sessions map[*session]bool
	clients  map[string]int // how many connections an address has
	stopping bool
	ended    sync.WaitGroup
}

// session is one connection.
type session struct {
	conn   net.Conn
	client string
	busy   bool // a response is under way
}

// Listen listens at an address with a queue of backlog connections to be accepted (0 for
// the system's limit), also while connections of an earlier server are in TIME_WAIT there.
func Listen(ctx context.Context, addr string, backlog int) (net.Listener, error) {
	socket := net.ListenConfig{Control: sockopt.ReuseAddr(true)}
	l, err := socket.Listen(ctx, "tcp", addr)
	if err != nil || backlog == 0 {
		return l, err
	}
	if err := sockopt.SetBacklog(l, backlog); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Serve serves at l until ctx is done, and stops in order: it closes l, tells the clients,
// waits up to grace for the responses under way, and closes what is left, which is an
// error. All connections are closed when it returns.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s.sessions, s.clients = map[*session]bool{}, map[string]int{}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err == nil {
			s.accept(conn)
			continue
		}
		if ctx.Err() != nil {
			err = nil
		}
		_ = l.Close()
		return errors.Join(err, s.drain(grace))
	}
}

// accept begins a session, or turns its client away.
func (s *Server) accept(conn net.Conn) {
	client, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.MaxConns > 0 && len(s.sessions) >= s.MaxConns) || (s.MaxPerClient > 0 && s.clients[client] >= s.MaxPerClient) {
		fmt.Fprintln(conn, Busy) // the send buffer of a new connection is empty, so this does not wait
		conn.Close()
		return
	}
	if c, ok := conn.(interface{ SetNoDelay(bool) error }); ok {
		_ = c.SetNoDelay(true) // a connection that is gone already
	}
	x := &session{conn: conn, client: client}
	s.sessions[x] = true
	s.clients[client]++
	s.ended.Go(func() { s.serve(x) })
}

// serve is one session, from the greeting to the close.
func (s *Server) serve(x *session) {
	defer s.end(x)
	fmt.Fprintln(x.conn, Hello)
	for lines := bufio.NewScanner(x.conn); s.goesOn(x, false) && lines.Scan(); {
		s.goesOn(x, true)
		response := lines.Text()
		if s.Respond != nil {
			response = s.Respond(response)
		}
		if _, err := fmt.Fprintln(x.conn, response); err != nil {
			return
		}
	}
	if !s.goesOn(x, false) {
		fmt.Fprintln(x.conn, Bye)
	}
}

// goesOn says whether a response is under way, for which drain waits, and reports
// whether the server is not stopping.
func (s *Server) goesOn(x *session, busy bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.busy = busy
	return !s.stopping
}

// end closes the connection, whatever has happened to its session.
func (s *Server) end(x *session) {
	if failed := recover(); failed != nil {
		slog.Error("A response failed, and its connection is closed.", "client", x.client, "error", failed)
	}
	x.conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, x)
	if s.clients[x.client]--; s.clients[x.client] == 0 {
		delete(s.clients, x.client)
	}
}

// drain ends all sessions: at once those that wait for a line, after their response those
// that work on one, and after the grace the others.
func (s *Server) drain(grace time.Duration) error {
	s.mu.Lock()
	s.stopping = true
	for x := range s.sessions {
		if !x.busy {
			_ = x.conn.SetReadDeadline(time.Now()) // it no longer waits
		}
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.ended.Wait()
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.sessions {
		x.conn.Close()
	}
	if cut := len(s.sessions); cut > 0 {
		return fmt.Errorf("cut off after %s: %d of the connections", grace, cut)
	}
	return nil
}

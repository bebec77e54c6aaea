// Package web is the live page of a run or of a watch: one server for any number
// of viewers, on this machine unless told otherwise. It takes two things from them: a
// guess of each, and from the presenter's page that the run may begin.
//
// Whoever plays or counts hands over events and goes on: drawing the snapshot is
// the work of a goroutine of its own, each sample is written as JSON once, and
// a viewer asks for what it has not had yet. So neither many viewers nor a stuck
// one hold up a run.
package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"socketlab/internal/series"
)

// Default is where the page listens if nobody says where: on this machine
// alone, at a free port.
const Default = "127.0.0.1:0"

// Server serves the page.
type Server struct {
	url    string
	port   uint16
	beyond bool
	feed   *feed
	painter
	http   *http.Server
	closed chan struct{} // no stream goes on after this
	room   room
	served chan error
}

// Start listens at addr, HOST:PORT, and serves a page that waits for a run.
func Start(addr string) (*Server, error) {
	listener, guard, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	s := &Server{
		url: guard.url, port: uint16(listener.Addr().(*net.TCPAddr).Port), beyond: guard.beyond, feed: newFeed(),
		closed: make(chan struct{}), served: make(chan error, 1),
	}
	s.room.open(s.feed.name)
	s.start(s.feed, &s.room)
	guard.posts, guard.next = []string{"guess", "start"}, s.routes(guard.base)
	s.http = guard.server()
	// Shutdown waits for requests in progress, and a stream never ends by itself.
	s.http.RegisterOnShutdown(func() { close(s.closed) })
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// listen listens at addr, HOST:PORT, and returns also what lets only readers of that
// address in, for the pages of which the caller adds posts and next.
func listen(addr string) (net.Listener, *guard, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, fmt.Errorf("%q: give HOST:PORT, such as %s: %w", addr, Default, err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	g := &guard{base: "/", beyond: !at.Addr().IsLoopback()}
	g.names = names(host, g.beyond)
	if g.beyond {
		g.base = "/" + rand.Text() + "/"
	}
	shown := at.String()
	if at.Addr().IsUnspecified() {
		shown = net.JoinHostPort(reachable(), fmt.Sprint(at.Port()))
	}
	g.url = "http://" + shown + g.base
	return listener, g, nil
}

// server is one with limits on what a client can make it wait for and keep.
func (g *guard) server() *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second, // a stream has a deadline for each write
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// URL is the address to open, with its token where there is one.
func (s *Server) URL() string { return s.url }

// Port is where the page listens.
func (s *Server) Port() uint16 { return s.port }

// Beyond reports whether other machines may reach the page.
func (s *Server) Beyond() bool { return s.beyond }

// Gather asks viewers what the run that h announces will show, and returns in a line
// how many there are, and how many have guessed, whenever that changes. It is closed
// when the presenter starts the run, and when ctx is done.
func (s *Server) Gather(ctx context.Context, h series.Header) <-chan string {
	start := s.room.announce()
	s.add(job{announced: &h})
	lines := make(chan string)
	go func() {
		defer close(lines)
		for {
			line, changed := s.room.line()
			select {
			case lines <- line:
			case <-start:
				return
			case <-ctx.Done():
				return
			}
			select {
			case <-changed:
			case <-start:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// Guesses says what viewers guessed and what was measured; "" where fewer than two
// have guessed.
func (s *Server) Guesses() string { return s.room.result() }

// Show shows an event. A header puts a new observation in the place of the one
// before.
func (s *Server) Show(e series.Event) { s.add(job{event: e}) }

// Finish says that nothing follows, and waits until viewers can see that.
func (s *Server) Finish() { s.finish() }

// Close ends the page: streams are sent what they have not had, and end.
func (s *Server) Close() error {
	s.finish()
	s.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // a viewer that reads nothing
		err = s.http.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// reachable is the first address of this machine that another one may know.
func reachable() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

// names are the names, beside addresses, by which the page may be asked for.
func names(host string, beyond bool) []string {
	known := []string{"localhost"}
	if !beyond || netip.Addr.IsValid(parsed(host)) || host == "" {
		return known
	}
	return append(known, strings.ToLower(host))
}

func parsed(host string) netip.Addr {
	addr, _ := netip.ParseAddr(host)
	return addr
}

// Package server is the server under test: it answers late, on purpose,
// and knows at any moment how many requests it is working on and how many
// sockets it really has, by state.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// Defaults of a server by itself; each key has one of its own.
const (
	DefaultAddr        = "127.0.0.1:8080"
	DefaultReportEvery = 5 * time.Second
)

var GraceKey = scenario.NewKey[scenario.Duration](&tcpKeys, scenario.Key{
	Name: "grace", Flag: scenario.Duration(30 * time.Second),
	Text: "when stopping, wait this long for responses in progress",
})

// ServeFunc is the server's half of a pair: it serves h on l until ctx is
// done, stops in its own way, and returns once it has stopped. It closes l.
type ServeFunc func(ctx context.Context, l net.Listener, h http.Handler) error

// Config says how a server behaves. Behaviour is required.
type Config struct {
	// Behaviour is a script's server section, at the speed that is played.
	Behaviour scenario.Server
	// Serve serves HTTP in place of the lab's own server; the Behaviour's
	// timeouts and close_after are then Serve's affair. nil is our own.
	Serve ServeFunc
	// Handler answers HTTP requests in place of the lab's own answer. What is
	// said of connections, workers, delays and pauses holds all the same. nil is
	// our own.
	Handler http.Handler
	// Peers are the other servers of the side: those that a balancer passes its
	// connections on to, in turn, and those that a name server knows.
	Peers []Peer
	// ReportEvery is the time between two reports; 0 reports nothing.
	ReportEvery time.Duration
	// Source counts the sockets for the reports. nil is gopsutil.
	Source socketstats.Source
	// Log is for what goes wrong, and for the reports if there is no ReportLog. nil
	// logs nothing.
	Log *slog.Logger
	// ReportLog is for the reports alone. nil is Log.
	ReportLog *slog.Logger
}

// Peer is another server. Its name is that of the script.
type Peer struct{ Name, Addr string }

// Server is a slow server that has not begun, or is at work. It is safe for
// use by several goroutines.
type Server struct {
	cfg     Config
	delays  delays
	work    work
	conns   connections
	clock   clock
	workers chan struct{} // one for each of the workers at work
	speaks  speaker       // nil where the protocol is unknown
}

// New returns a server that behaves as cfg says.
func New(cfg Config) *Server {
	if cfg.Source == nil {
		cfg.Source = socketstats.Gopsutil{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.ReportLog == nil {
		cfg.ReportLog = cfg.Log
	}
	s := &Server{cfg: cfg, delays: delaysOf(cfg.Behaviour)}
	s.conns.limit(cfg.Behaviour)
	if n := WorkersKey.Of(cfg.Behaviour); n > 0 {
		s.workers = make(chan struct{}, n)
	}
	if p := protocolOf(cfg.Behaviour); p != nil {
		s.speaks = p.open(s)
	}
	return s
}

// CA is the certificate that an HTTPS server identifies itself with, in PEM:
// what a client must trust. It is empty for other servers.
func (s *Server) CA() string {
	if c, ok := s.speaks.(certifier); ok {
		return c.ca()
	}
	return ""
}

// Directs names the server that a name server directs clients to now. It is empty
// before the first query, and for other servers.
func (s *Server) Directs() string {
	if d, ok := s.speaks.(director); ok {
		return d.directs()
	}
	return ""
}

// InProgress is the number of requests being worked on: begun, not answered,
// and their client not gone.
func (s *Server) InProgress() int64 { return s.work.inProgress.Load() }

// Served is what a server has done at one moment.
type Served struct {
	// Received is every request that was begun, and Answered, Left and Cut what
	// became of those that are over: answered whole, given up by their client
	// or by the end of the server, and cut off in mid-answer. The others are in
	// progress.
	Received, Answered, Left, Cut int64
	// Reused is the requests whose connection had brought one before. It is 0
	// where a Config.Serve is in charge of the connections.
	Reused int64
	// Accepted is the connections, those over the limit included. A balancer has
	// nothing else to count, and what the listener refused was not received.
	Accepted int64
}

// Served returns what the server has done so far.
func (s *Server) Served() Served {
	w := &s.work
	served := Served{Answered: w.answered.Load(), Left: w.left.Load(), Cut: w.cut.Load()}
	// What is over was received before, so that with this order no more is
	// over than was received.
	served.Reused, served.Received = w.reused.Load(), w.received.Load()
	served.Accepted = w.accepted.Load()
	return served
}

// Serve serves at a socket until ctx is done, then drains: it accepts nothing more
// and gives the responses in progress the Behaviour's grace. It closes the socket.
// The error is nil when there was a response to every request.
func (s *Server) Serve(ctx context.Context, at Socket) error {
	if s.speaks == nil {
		at.Close()
		return fmt.Errorf("protocol %q is unknown", s.cfg.Behaviour.Protocol)
	}
	if n := MaxDescriptorsKey.Of(s.cfg.Behaviour); n > 0 {
		if err := limitDescriptors(n); err != nil {
			at.Close()
			return err
		}
	}
	reports, stopReports := context.WithCancel(context.Background())
	reported := make(chan struct{})
	addr := at.Addr()
	go func() {
		defer close(reported)
		s.report(reports, addr)
	}()
	defer func() {
		stopReports()
		<-reported
	}()
	return s.speaks.serve(ctx, at)
}

// unanswered is the error of a drain that took longer than the grace. It is nil
// if that was only for connections that had asked for nothing yet.
func (s *Server) unanswered(what string) error {
	n := s.InProgress()
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d %s were not answered within the grace of %s and were cut off", n, what, GraceKey.Of(s.cfg.Behaviour))
}

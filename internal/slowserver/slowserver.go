// Package slowserver is the server under test: it answers late, on purpose,
// and knows at any moment how many requests it is working on and how many
// sockets it really has, by state.
package slowserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// Defaults of the original incident's server.
const (
	DefaultAddr        = "127.0.0.1:8080"
	DefaultDelay       = 20 * time.Second
	DefaultIdleTimeout = 120 * time.Second
	DefaultCloseAfter  = 100
	DefaultReportEvery = 5 * time.Second
	DefaultGrace       = 30 * time.Second
)

// ServeFunc is the server's half of a pair: it serves h on l until ctx is
// done, stops in its own way, and returns once it has stopped. It closes l.
type ServeFunc func(ctx context.Context, l net.Listener, h http.Handler) error

// Config says how a server behaves. Behaviour and Log are required.
type Config struct {
	// Behaviour is a script's server section, at the speed that is played.
	Behaviour scenario.Server
	// Serve serves HTTP in place of the lab's own server; the Behaviour's
	// timeouts and close_after are then Serve's affair. nil is our own.
	Serve ServeFunc
	// ReportEvery is the time between two reports; 0 reports nothing.
	ReportEvery time.Duration
	// Source counts the sockets for the reports. nil is gopsutil.
	Source socketstats.Source
	Log    *slog.Logger
}

// Server is a slow server that has not begun, or is at work. It is safe for
// use by several goroutines.
type Server struct {
	cfg  Config
	work work
}

// New returns a server that behaves as cfg says.
func New(cfg Config) *Server {
	if cfg.Source == nil {
		cfg.Source = socketstats.Gopsutil{}
	}
	return &Server{cfg: cfg}
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
	// Accepted is the connections.
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

// Serve serves on l until ctx is done, then drains: it accepts nothing more
// and gives the answers under way the Behaviour's grace. It closes l. The
// error is nil when everything was answered.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	reports, stopReports := context.WithCancel(context.Background())
	reported := make(chan struct{})
	addr := l.Addr()
	go func() {
		defer close(reported)
		s.report(reports, addr)
	}()
	defer func() {
		stopReports()
		<-reported
	}()

	l = countingListener{l, &s.work.accepted}
	if n := s.cfg.Behaviour.MaxConns; n > 0 {
		l = netutil.LimitListener(l, n)
	}
	switch {
	case s.cfg.Behaviour.Protocol == scenario.RowDB:
		return s.serveRows(ctx, l)
	case s.cfg.Serve != nil:
		return s.cfg.Serve(ctx, l, s.handler())
	default:
		return s.serveHTTP(ctx, l)
	}
}

func (s *Server) serveHTTP(ctx context.Context, l net.Listener) error {
	b := s.cfg.Behaviour
	server := &http.Server{
		Handler:           s.handler(),
		ConnContext:       withRequestCount,
		IdleTimeout:       b.IdleTimeout.D(),
		ReadHeaderTimeout: b.ReadHeaderTimeout.D(),
		WriteTimeout:      b.WriteTimeout.D(),
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), b.Grace.D())
		defer cancel()
		err := server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.unanswered("requests")
			server.Close()
		}
		drained <- err
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		if !stop() {
			err = errors.Join(err, <-drained)
		}
		server.Close()
		return err
	}
	return <-drained
}

// countingListener counts the connections that it gives out, and leaves them
// as they are.
type countingListener struct {
	net.Listener
	accepted *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// unanswered is the error of a drain that took longer than the grace. It is nil
// if that was only for connections that had asked for nothing yet.
func (s *Server) unanswered(what string) error {
	n := s.InProgress()
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d %s were not answered within the grace of %s and were cut off", n, what, s.cfg.Behaviour.Grace)
}

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
		s.cfg.Log.Info("sockets", attrs...)
	}
}

package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"socketlab/internal/scenario"
)

// serveWeb serves HTTP in each of its forms on l, which is d or in front of it.
func (s *Server) serveWeb(ctx context.Context, l net.Listener, d *boundListener) error {
	if s.cfg.Behaviour.OverLimit == scenario.Refuse {
		over := newRefusals(d.Addr())
		d.refuse = over.take
		refusing := s.server(http.HandlerFunc(refuse))
		var ended sync.WaitGroup
		ended.Go(func() { _ = refusing.Serve(s.secured(over)) })
		defer ended.Wait()
		defer refusing.Close()
	}
	l = s.secured(l)
	if s.cfg.Serve != nil {
		return s.cfg.Serve(ctx, l, s.handler())
	}
	return s.serveHTTP(ctx, l)
}

// secured is l with TLS, if that is what the server speaks.
func (s *Server) secured(l net.Listener) net.Listener {
	if s.cfg.Behaviour.Protocol == scenario.HTTPS {
		return s.cert.listener(l)
	}
	return l
}

// server is an HTTP server with the behaviour's timeouts.
func (s *Server) server(h http.Handler) *http.Server {
	b := s.cfg.Behaviour
	server := &http.Server{
		Handler:           h,
		IdleTimeout:       b.IdleTimeout.D(),
		ReadHeaderTimeout: b.ReadHeaderTimeout.D(),
		WriteTimeout:      b.WriteTimeout.D(),
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
	}
	if b.Protocol == scenario.H2C {
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
	}
	return server
}

func (s *Server) serveHTTP(ctx context.Context, l net.Listener) error {
	server := s.server(s.handler())
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), s.cfg.Behaviour.Grace.D())
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

// refuse answers a request on a connection above the limit. The body is read
// first: closing a connection with some of it unread would reset it, and the
// client would not see the answer.
func refuse(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Connection", "close")
	http.Error(w, "too many connections", http.StatusServiceUnavailable)
}

// refusals is the listener of a second server: for the connections above the
// limit, which are given to it in place of being accepted.
type refusals struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newRefusals(addr net.Addr) *refusals {
	return &refusals{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// take hands over a connection.
func (l *refusals) take(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		c.Close()
	}
}

// Accept returns the next connection that was handed over.
func (l *refusals) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr returns the address of the first server.
func (l *refusals) Addr() net.Addr { return l.addr }

// Close ends the refusing. The first server's listener stays.
func (l *refusals) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

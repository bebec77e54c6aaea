package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"socketlab/internal/scenario"
)

// httpKeys are the keys of HTTP in each of its forms.
var httpKeys scenario.KeySet

var (
	// IdleTimeoutKey limits how long a connection may be idle.
	IdleTimeoutKey = scenario.NewKey[scenario.Duration](&httpKeys, scenario.Key{
		Name: "idle_timeout", Flag: scenario.Duration(120 * time.Second),
		Text: "close a connection that waited this long for its next request; 0 for never",
	})
	ReadHeaderTimeoutKey = scenario.NewKey[scenario.Duration](&httpKeys, scenario.Key{
		Name: "read_header_timeout", Flag: scenario.Duration(10 * time.Second),
		Text: "close a connection whose request header takes longer; 0 for never",
	})
	WriteTimeoutKey = scenario.NewKey[scenario.Duration](&httpKeys, scenario.Key{
		Name: "write_timeout", Text: "close a connection whose response takes longer; 0 for never",
	})
)

// http2Keys are the keys of HTTP/2.
var http2Keys scenario.KeySet

// MaxStreamsKey limits the requests of a connection at a time
// (SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113 section 5.1.2).
var MaxStreamsKey = scenario.NewKey[int](&http2Keys, scenario.Key{
	Name: "max_streams", Max: 1000,
	Text: "allow this many requests at a time on a connection of HTTP/2; 0 for what net/http allows",
})

func init() {
	registerHTTP("http", "HTTP/1.1", plainHTTP{})
	registerHTTP("h2c", "HTTP/2 without TLS, and HTTP/1.1", h2c{}, http2Keys...)
}

// registerHTTP registers a protocol; one with keys of HTTP/2 speaks that.
func registerHTTP(name, text string, p protocol, http2 ...*scenario.Key) {
	register(scenario.Protocol{
		Name: name, Text: text, Multiplexes: len(http2) > 0,
		Keys: slices.Concat(requestKeys, httpKeys, http2, tcpKeys),
	}, p)
}

type plainHTTP struct{ tcp }

func (plainHTTP) open(s *Server) speaker { return web{Server: s, secure: plain} }

type h2c struct{ tcp }

func (h2c) open(s *Server) speaker {
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	return web{Server: s, secure: plain, protocols: both}
}

// web serves HTTP.
type web struct {
	*Server
	// secure puts TLS in front of a listener, where that is spoken.
	secure    func(net.Listener) net.Listener
	protocols *http.Protocols // nil is what net/http does by itself
}

func plain(l net.Listener) net.Listener { return l }

func (w web) serve(ctx context.Context, at Socket) error {
	return w.serveTCP(ctx, at, w.serveConnections)
}

func (w web) serveConnections(ctx context.Context, l net.Listener, d *boundListener) error {
	if OverLimitKey.Of(w.cfg.Behaviour) == overRefuse {
		over := newHandover(d.Addr())
		d.refuse = over.take
		refusing := w.server(http.HandlerFunc(refuse))
		var ended sync.WaitGroup
		ended.Go(func() { _ = refusing.Serve(w.secure(over)) })
		defer ended.Wait()
		defer refusing.Close()
	}
	l = w.secure(l)
	if w.cfg.Serve != nil {
		return w.cfg.Serve(ctx, l, w.handler())
	}
	return w.serveHTTP(ctx, l)
}

// server is an HTTP server with the behaviour's timeouts.
func (w web) server(h http.Handler) *http.Server {
	b := w.cfg.Behaviour
	return &http.Server{
		Handler:           h,
		IdleTimeout:       IdleTimeoutKey.Of(b).D(),
		ReadHeaderTimeout: ReadHeaderTimeoutKey.Of(b).D(),
		WriteTimeout:      WriteTimeoutKey.Of(b).D(),
		ErrorLog:          slog.NewLogLogger(w.cfg.Log.Handler(), slog.LevelWarn),
		Protocols:         w.protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: MaxStreamsKey.Of(b)},
	}
}

func (w web) serveHTTP(ctx context.Context, l net.Listener) error {
	server := w.server(w.handler())
	p := w.newParking(l.Addr())
	defer p.close()
	if p != nil {
		server.ConnContext = p.connect
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), GraceKey.Of(w.cfg.Behaviour).D())
		defer cancel()
		p.stop()
		err := cmp.Or(server.Shutdown(grace), p.drain(grace))
		if errors.Is(err, context.DeadlineExceeded) {
			err = w.unanswered("requests")
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

// handover is the listener of a second server: for connections that are given to it in
// place of being accepted.
type handover struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// take hands over a connection.
func (l *handover) take(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		c.Close()
	}
}

// Accept returns the next connection that was handed over.
func (l *handover) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr returns the address of the first server.
func (l *handover) Addr() net.Addr { return l.addr }

// Close ends the handing over. The first server's listener stays.
func (l *handover) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Package httppool shows what is inside the connection pool of an [http.Transport].
//
//	pool := httppool.Watch(&http.Transport{MaxConnsPerHost: 16})
//	client := &http.Client{Transport: pool}
//	http.Handle("/debug/connections", httppool.Handler(pool))
//
// A [Pool] takes the transport's place in a client and does what the transport did. It
// also knows of every connection where it goes and in which state it is, of every request
// whether it waits for a connection and for how long, of every closed connection why it
// was closed ([Pool.Snapshot]), and of every response whose body was left open who sent the
// request ([Pool.Unfinished]).
//
// # What Watch changes
//
// [Watch] sets the dial functions of the transport (DialContext and, if there is one,
// DialTLSContext) and its Proxy function to functions that call those that were there. It
// keeps HTTP/2 on or off as it was, although DialContext by itself would switch it off.
// So call Watch before the transport's first request, or while no request is under way.
// The transport stays the caller's: CloseIdleConnections and RegisterProtocol work on either.
// A request that is sent through the transport and not through the Pool is not seen, nor
// is a connection dialled for it until a request of the Pool uses it. A clone of the
// transport works as one made before, and is not seen.
//
// Nothing else changes. A wrapped connection has the optional methods of the one within
// (ReadFrom for sendfile, CloseWrite, SyscallConn), a trace in a request's context gets
// its calls and the connection that was dialled, and Response.Request is the caller's.
// One thing costs more with any RoundTripper that is no *http.Transport: the Timeout of
// an [http.Client] then needs a goroutine for each request. A context with a deadline does not.
//
// # What it costs
//
// One record for each request that has not ended and for each open connection. No
// goroutine, no timer, no finalizer, and nothing that grows with the number of
// requests: a Pool needs no Close, and works in a bubble of testing/synctest.
package httppool

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Pool is an [http.RoundTripper] that knows its connections. Make it with [Watch]. It is safe
// for concurrent use.
type Pool struct {
	name      string
	transport *http.Transport
	noStacks  bool

	mu sync.Mutex // guards all below, and what records of connections and requests say it guards
	// conns are the connections from the begin of the dial to the end of Close.
	conns list[*connection]
	// requests are those whose response has not ended.
	requests list[*request]
	// foreign are the connections that cannot be wrapped.
	foreign foreign
	hosts   map[string]*host
	others  host // the sum of those that were forgotten
	// observers is replaced and never changed, so that it can be called without mu.
	observers []*Observer
}

// Option changes what a [Pool] does.
type Option func(*Pool)

// Name names the pool where several are shown.
func Name(name string) Option { return func(p *Pool) { p.name = name } }

// WithoutStacks leaves out the stack of the sender of each request. A request then costs about a
// microsecond less, and [Pool.Unfinished] knows its URL only.
func WithoutStacks() Option { return func(p *Pool) { p.noStacks = true } }

// Watch returns a Pool that sends its requests through t. It changes t as the package
// comment says. Where t is nil the Pool has a clone of [http.DefaultTransport].
func Watch(t *http.Transport, options ...Option) *Pool {
	if t == nil {
		t = defaultTransport()
	}
	p := &Pool{transport: t, hosts: map[string]*host{}}
	for _, option := range options {
		option(p)
	}
	keepHTTP2(t)
	p.setDial(t)
	p.setProxy(t)
	return p
}

func defaultTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
}

// keepHTTP2 makes sure that a DialContext does not switch off HTTP/2. Where any of these
// is set the transport has decided already; see Transport.protocols in net/http.
func keepHTTP2(t *http.Transport) {
	if t.Protocols == nil && t.TLSNextProto == nil && t.TLSClientConfig == nil &&
		t.Dial == nil && t.DialContext == nil && t.DialTLS == nil && t.DialTLSContext == nil { //nolint:staticcheck // what is deprecated works
		t.ForceAttemptHTTP2 = true
	}
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func (p *Pool) setDial(t *http.Transport) {
	dial, dialTLS := t.DialContext, t.DialTLSContext
	if plain := t.Dial; dial == nil && plain != nil { //nolint:staticcheck // what is deprecated works
		dial = func(_ context.Context, network, addr string) (net.Conn, error) { return plain(network, addr) }
	}
	if plain := t.DialTLS; dialTLS == nil && plain != nil { //nolint:staticcheck // what is deprecated works
		dialTLS = func(_ context.Context, network, addr string) (net.Conn, error) { return plain(network, addr) }
	}
	if dial == nil {
		dial = new(net.Dialer).DialContext // as the transport does without one
	}
	t.DialContext = p.watchDial(dial, false)
	if dialTLS != nil {
		t.DialTLSContext = p.watchDial(dialTLS, true)
	}
}

// setProxy notes which requests go through a proxy.
func (p *Pool) setProxy(t *http.Transport) {
	proxy := t.Proxy
	if proxy == nil {
		return
	}
	t.Proxy = func(req *http.Request) (*url.URL, error) {
		u, err := proxy(req)
		if r := p.requestIn(req.Context()); r != nil && u != nil {
			p.mu.Lock()
			r.proxy = u.Scheme
			p.mu.Unlock()
		}
		return u, err
	}
}

// CloseIdleConnections closes the idle connections of the transport.
func (p *Pool) CloseIdleConnections() { p.transport.CloseIdleConnections() }

// RoundTrip sends a request through the transport.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return p.transport.RoundTrip(req) // which returns an error
	}
	r := p.begin(req)
	resp, err := p.transport.RoundTrip(req.WithContext(&r.ctx))
	if err != nil {
		r.end(err)
		return resp, err
	}
	resp.Request = req
	r.answered(resp)
	return resp, nil
}

// Observer is called for what happens in a [Pool]. A field that is nil is not called.
// The functions are called by several goroutines at once, and by some that hold locks of
// the transport: they must not block, and must not use the Pool's transport.
type Observer struct {
	// Waited is called when a request was given a connection.
	Waited func(host string, waited time.Duration)
	// Closed is called when a connection was closed; age is the time since its dial was done.
	Closed func(host string, why Reason, age time.Duration)
}

// Observe calls o's functions from now on, until stop is called.
func (p *Pool) Observe(o Observer) (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observers = append(p.observers[:len(p.observers):len(p.observers)], &o)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		kept := make([]*Observer, 0, len(p.observers))
		for _, other := range p.observers {
			if other != &o {
				kept = append(kept, other)
			}
		}
		p.observers = kept
	}
}

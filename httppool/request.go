package httppool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// request is one call of RoundTrip, until its response has ended. It is the request's
// context, its trace and its response's body in one piece of memory.
type request struct {
	links[*request]
	ctx   requestContext
	trace httptrace.ClientTrace
	body  body

	pool *Pool
	// theirs is the trace that the caller's context has; nil without one.
	theirs *httptrace.ClientTrace
	method string
	url    *url.URL
	stack  []uintptr

	// What follows is guarded by Pool.mu. The request is in Pool.requests from when the
	// transport first looks for a connection until its response has ended.
	state   RequestState
	host    string // "" until the transport asks for a connection
	proxy   string // the scheme of the proxy; "" without one
	started time.Time
	since   time.Duration // of state, after started: to read one clock costs half of reading two
	waited  time.Duration
	dials   int // that were begun for it and are under way
	conn    *connection
	put     bool // conn was given back to the transport's pool
	hooked  bool // the trace has the functions for TLS
	// seesStream says that wroteHeaders is called. It does not change.
	seesStream bool
}

// requestContext is the context of a request of the transport. It has the caller's values
// but for the trace.
type requestContext struct {
	context.Context
	request *request
}

// requestKey is the key of a Pool's request in its context.
type requestKey struct{ pool *Pool }

// traceKey is the key of an httptrace.ClientTrace in a context, which net/http/httptrace keeps
// to itself. With WithClientTrace in its place each request would cost a context more,
// and two traces would be joined by reflection.
var traceKey = func() any {
	var k keyProbe
	httptrace.ContextClientTrace(&k)
	return k.key
}()

type keyProbe struct {
	context.Context
	key any
}

func (k *keyProbe) Value(key any) any {
	k.key = key
	return nil
}

func (c *requestContext) Value(key any) any {
	switch key {
	case traceKey:
		return &c.request.trace
	case requestKey{c.request.pool}:
		return c.request
	}
	return c.Context.Value(key)
}

// requestIn returns the Pool's request to which ctx belongs, or nil.
func (p *Pool) requestIn(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{p}).(*request)
	return r
}

func (p *Pool) begin(req *http.Request) *request {
	r := &request{
		pool: p, theirs: httptrace.ContextClientTrace(req.Context()),
		method: req.Method, url: req.URL, started: time.Now(),
	}
	r.ctx = requestContext{req.Context(), r}
	if r.theirs != nil {
		r.trace = *r.theirs
	}
	r.trace.GetConn = r.getConn
	r.trace.GotConn = r.gotConn
	r.trace.PutIdleConn = r.putIdleConn
	if req.URL.Scheme == "https" || p.unencryptedHTTP2() {
		r.trace.WroteHeaders, r.seesStream = r.wroteHeaders, true
	}
	if !p.noStacks {
		r.stack = callers(2) // without begin and RoundTrip
	}
	return r
}

// unencryptedHTTP2 reports whether http:// URLs get HTTP/2.
func (p *Pool) unencryptedHTTP2() bool {
	set := p.transport.Protocols
	return set != nil && set.UnencryptedHTTP2() && !set.HTTP1()
}

// getConn is called when the transport looks for a connection, also before another
// attempt. For an open HTTP/2 connection it is called twice.
func (r *request) getConn(hostPort string) {
	p := r.pool
	p.mu.Lock()
	switch {
	case !r.in: // its first attempt
		r.host = p.hostOf(r, hostPort)
		r.state = RequestWaiting
		p.requests.add(r)
	case r.state != RequestWaiting:
		p.detach(r)
		r.host = p.hostOf(r, hostPort)
		r.enter(RequestWaiting, r.age())
	}
	p.mu.Unlock()
	if r.theirs != nil && r.theirs.GetConn != nil {
		r.theirs.GetConn(hostPort)
	}
}

// hostOf returns where the request's connection leads to. Those to a proxy that serve
// http:// URLs serve all hosts. A URL may have any bytes as its host (http://%ff.test); metrics and JSON
// take text only.
func (p *Pool) hostOf(r *request, firstHop string) string {
	host := firstHop
	switch {
	case r.proxy == "", r.url.Scheme == "http" && (r.proxy == "http" || r.proxy == "https"):
	case r.url.Port() != "":
		host = r.url.Host
	case r.url.Scheme == "https":
		host = r.url.Host + ":443"
	default:
		host = r.url.Host + ":80"
	}
	return strings.ToValidUTF8(host, "\ufffd")
}

// age is the time since the request was started.
func (r *request) age() time.Duration { return time.Since(r.started) }

// entered is when it got its state.
func (r *request) entered() time.Time { return r.started.Add(r.since) }

// enter changes the state, at an age of the request. The caller holds Pool.mu.
func (r *request) enter(s RequestState, at time.Duration) {
	if r.state.waits() {
		r.waited += at - r.since
	}
	if r.state == RequestWaitingStream {
		r.conn.queued--
	}
	if s == RequestWaitingStream {
		r.conn.queued++
	}
	r.state, r.since = s, at
}

// gotConn is called when the request was given a connection.
func (r *request) gotConn(info httptrace.GotConnInfo) {
	p := r.pool
	c, within := p.find(info.Conn)
	p.mu.Lock()
	if c == nil {
		c = p.adopt(r, info.Conn)
	}
	now := r.age()
	p.attach(r, c, r.started.Add(now))
	done := true
	if c.http2 && r.seesStream {
		r.enter(RequestWaitingStream, now) // it may have to wait for one of the streams that the server allows
		done = false
	} else {
		r.enter(RequestSent, now)
	}
	host, waited, observers := r.host, r.waited, p.observers
	p.mu.Unlock()
	if done {
		tellWaited(observers, host, waited)
	}
	if r.theirs != nil && r.theirs.GotConn != nil {
		info.Conn = within
		r.theirs.GotConn(info)
	}
}

func tellWaited(observers []*Observer, host string, waited time.Duration) {
	for _, o := range observers {
		if o.Waited != nil {
			o.Waited(host, waited)
		}
	}
}

// wroteHeaders is called when the request's header was written, over HTTP/2 when it has its stream.
func (r *request) wroteHeaders() {
	p := r.pool
	p.mu.Lock()
	waited := r.state == RequestWaitingStream
	if waited {
		r.enter(RequestSent, r.age())
	}
	host, wait, observers := r.host, r.waited, p.observers
	p.mu.Unlock()
	if waited {
		tellWaited(observers, host, wait)
	}
	if r.theirs != nil && r.theirs.WroteHeaders != nil {
		r.theirs.WroteHeaders()
	}
}

// putIdleConn is called when the transport took the request's connection back, or with why it did not.
func (r *request) putIdleConn(err error) {
	r.pool.mu.Lock()
	r.pool.putBack(r, err)
	r.pool.mu.Unlock()
	if r.theirs != nil && r.theirs.PutIdleConn != nil {
		r.theirs.PutIdleConn(err)
	}
}

// hookTLS adds the functions for a TLS handshake to the trace, before the first dial
// for the request. The transport reads them in the goroutine of a dial, after this.
func (r *request) hookTLS() {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.hooked {
		return
	}
	r.hooked = true
	r.trace.TLSHandshakeStart = func() {
		p.mu.Lock()
		p.handshake(r, Dialling, TLSHandshake, nil)
		p.mu.Unlock()
		if r.theirs != nil && r.theirs.TLSHandshakeStart != nil {
			r.theirs.TLSHandshakeStart()
		}
	}
	r.trace.TLSHandshakeDone = func(state tls.ConnectionState, err error) {
		p.mu.Lock()
		p.handshake(r, TLSHandshake, Dialling, &state)
		p.mu.Unlock()
		if r.theirs != nil && r.theirs.TLSHandshakeDone != nil {
			r.theirs.TLSHandshakeDone(state, err)
		}
	}
}

// answered is called with the response.
func (r *request) answered(resp *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody {
		r.end(nil)
		return
	}
	r.body = body{ReadCloser: resp.Body, request: r, upgraded: resp.StatusCode == http.StatusSwitchingProtocols}
	p := r.pool
	p.mu.Lock()
	if r.conn != nil {
		r.conn.upgraded = r.body.upgraded
	}
	r.enter(RequestBody, r.age())
	p.mu.Unlock()
	if w, ok := resp.Body.(io.ReadWriteCloser); ok {
		resp.Body = upgradedBody{&r.body, w}
	} else {
		resp.Body = &r.body
	}
}

// end is called when the response has ended, or failed; of several calls the first counts.
func (r *request) end(err error) {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.requests.remove(r) {
		return
	}
	r.body.ended.Store(true)
	if c := r.conn; c != nil && c.why == "" && c.user == r && !r.put && !c.http2 {
		switch {
		case errors.Is(err, errUnfinished):
			c.why = BodyUnfinished
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			c.why = Cancelled
		}
	}
	p.detach(r)
}

// errUnfinished is how a response ends whose body was closed before its end.
var errUnfinished = errors.New("body closed before its end")

// body is a response's body, and sees how it ends.
type body struct {
	io.ReadCloser
	request  *request
	upgraded bool
	// reading is how many Reads are under way, and read is when one ended last, in
	// nanoseconds after the request was started; 0 is never.
	reading atomic.Int32
	read    atomic.Int64
	// ended says that the request has ended: of a body that was read to its end nothing is
	// left for Close to note.
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	b.reading.Add(1)
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || b.upgraded: // whose two directions end separately
		b.read.Store(int64(b.request.age()))
	default:
		b.request.end(err)
	}
	b.reading.Add(-1)
	return n, err
}

func (b *body) Close() error {
	if b.ended.Load() {
		return b.ReadCloser.Close()
	}
	b.request.closing()
	err := b.ReadCloser.Close()
	b.request.end(errUnfinished)
	return err
}

// closing notes that a body is closed before its end: the transport closes the
// connection meanwhile.
func (r *request) closing() {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	if c := r.conn; r.in && c != nil && c.user == r && !c.http2 && c.why == "" {
		c.why = BodyUnfinished
		if c.upgraded {
			c.why = Caller
		}
	}
}

// upgradedBody is the body of a response that switched protocols: the connection itself.
type upgradedBody struct {
	*body
	writer io.ReadWriteCloser
}

func (b upgradedBody) Write(p []byte) (int, error) { return b.writer.Write(p) }

// CloseWrite closes the connection's sending side, where it can.
func (b upgradedBody) CloseWrite() error {
	if w, ok := b.writer.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

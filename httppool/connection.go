package httppool

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// connection is one connection, from the begin of its dial until Close has returned.
type connection struct {
	links[*connection] //nolint:unused // by the constraint of list
	pool               *Pool

	// What follows is guarded by Pool.mu.
	state   State
	since   time.Time // of state
	started time.Time // the dial
	opened  time.Time // the dial's end; zero before
	host    *host
	via     string // the proxy; "" without one
	local   string
	remote  string
	tls     bool
	http2   bool
	// by is the request for which it was dialled, until it is given to one.
	by *request
	// handshakes is how many TLS handshakes are to come: a proxy may have one of its own.
	handshakes int
	upgraded   bool
	uses       int
	// assigned counts the requests that have it, over HTTP/1 one at most, which is user.
	assigned int
	user     *request
	queued   int    // of those assigned, the ones that wait for a stream
	why      Reason // it will be closed; "" where it is not known to be
	foreign  bool   // it could not be wrapped, so its end is not seen
	adopted  bool   // dialled by somebody else
	readErr  error  // the first
	writeErr error
}

// enter changes the state. The caller holds Pool.mu.
func (c *connection) enter(s State, now time.Time) { c.state, c.since = s, now }

// watchDial returns a function that calls dial and records what it does for requests of
// the Pool. What is dialled for others is left alone: it may be for a clone of the transport.
func (p *Pool) watchDial(dial dialFunc, dialsTLS bool) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		r := p.requestIn(ctx)
		if r == nil {
			return dial(ctx, network, addr)
		}
		r.hookTLS()
		c := p.dialStarts(r, addr)
		done := false
		defer func() {
			if !done { // dial panicked
				p.dialFailed(c)
			}
		}()
		conn, err := dial(ctx, network, addr)
		done = true
		if err != nil || conn == nil {
			p.dialFailed(c)
			return conn, err
		}
		return p.dialled(c, conn, dialsTLS), nil
	}
}

func (p *Pool) dialStarts(r *request, addr string) *connection {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetClosed()
	c := &connection{pool: p, state: Dialling, since: now, started: now, by: r}
	if r.proxy != "" {
		c.via = addr
	}
	if r.proxy == "https" {
		c.handshakes++
	}
	if r.url.Scheme == "https" {
		c.handshakes++
	}
	c.tls = c.handshakes > 0
	r.dials++
	p.added(c, p.hostOf(r, addr))
	return c
}

func (p *Pool) dialFailed(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.host.dialsFailed++
	p.removed(c, "")
}

// dialEnds says that the request waits for c's dial no longer. The caller holds mu.
func (p *Pool) dialEnds(c *connection) {
	if c.by != nil {
		c.by.dials--
		c.by = nil
	}
}

// dialled returns the connection that the transport gets. dialsTLS says that the dial
// function is to return one after its TLS handshake.
func (p *Pool) dialled(c *connection, conn net.Conn, dialsTLS bool) net.Conn {
	local, remote := addrs(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	c.opened = time.Now()
	c.local, c.remote = local, remote
	c.host.opened++
	if dialsTLS {
		if _, ok := conn.(*tls.Conn); ok { // the transport must get it as it is, to see which protocol was agreed on
			p.foreign.add(conn, c)
			return conn
		}
		c.handshakes-- // which of another type the transport does not ask for
	}
	if c.handshakes == 0 {
		c.http2 = p.unencryptedHTTP2()
		c.enter(Idle, time.Now())
	}
	return wrap(c, conn)
}

func addrs(conn net.Conn) (local, remote string) {
	if a := conn.LocalAddr(); a != nil {
		local = a.String()
	}
	if a := conn.RemoteAddr(); a != nil {
		remote = a.String()
	}
	return local, remote
}

// handshake is called when a TLS handshake for one of the request's dials begins or, with
// the state after it, ends. Where it has several dials under way, which can be after
// another attempt only, it does not matter which one: they lead to the same host, and
// each gets there. The caller holds mu.
func (p *Pool) handshake(r *request, from, to State, done *tls.ConnectionState) {
	for c := range p.conns.all {
		if c.by != r || c.state != from || c.opened.IsZero() {
			continue
		}
		if done == nil {
			c.enter(to, time.Now())
			return
		}
		if !done.HandshakeComplete {
			c.enter(Closing, time.Now())
			return
		}
		c.http2 = done.NegotiatedProtocol == "h2"
		if c.handshakes--; c.handshakes == 0 {
			to = Idle
		}
		c.enter(to, time.Now())
		return
	}
}

// find returns the connection to which conn belongs, and conn as it was dialled. It is nil where conn
// was not dialled for a request of the Pool, or is foreign and forgotten.
func (p *Pool) find(conn net.Conn) (c *connection, within net.Conn) {
	for inner := conn; inner != nil; {
		switch of := inner.(type) {
		case wrapped:
			c := of.connection()
			if c.pool != p { // another Pool watches the same transport
				inner = of.NetConn()
				continue
			}
			if inner == conn {
				conn = of.NetConn()
			}
			return c, conn
		case *tls.Conn:
			p.mu.Lock()
			c := p.foreign.get(of)
			p.mu.Unlock()
			if c != nil {
				return c, conn
			}
			inner = of.NetConn()
		case interface{ NetConn() net.Conn }:
			inner = of.NetConn()
		default:
			inner = nil
		}
	}
	return nil, conn
}

// adopt makes a record of a connection that was dialled for somebody else. The caller holds mu.
func (p *Pool) adopt(r *request, conn net.Conn) *connection {
	if c := p.foreign.get(conn); c != nil {
		return c
	}
	now := time.Now()
	c := &connection{pool: p, state: Active, since: now, started: now, opened: now, adopted: true, http2: p.unencryptedHTTP2()}
	c.local, c.remote = addrs(conn)
	if secure, ok := conn.(*tls.Conn); ok {
		c.tls, c.http2 = true, secure.ConnectionState().NegotiatedProtocol == "h2"
	}
	p.foreign.add(conn, c)
	p.added(c, r.host)
	c.host.adopted++
	return c
}

// attach gives c to the request. The caller holds mu.
func (p *Pool) attach(r *request, c *connection, now time.Time) {
	p.detach(r)
	r.conn, r.put = c, false
	p.dialEnds(c)
	c.uses++
	if !c.http2 {
		c.assigned = 0 // the transport may tell late that the request before gave it back
		c.user = r
	}
	c.assigned++
	if c.state != Active {
		c.enter(Active, now)
	}
	c.host.requests++
}

// detach takes the request's connection from it. The caller holds mu.
func (p *Pool) detach(r *request) {
	c := r.conn
	if c == nil {
		return
	}
	if r.state == RequestWaitingStream {
		r.enter(RequestSent, r.age())
	}
	r.conn = nil
	switch {
	case c.http2:
		c.assigned--
		if c.assigned == 0 && c.state == Active {
			c.enter(Idle, time.Now())
		}
	case c.user == r:
		// It was not put back, so that the transport is about to close it.
		c.user, c.assigned = nil, 0
		if c.state == Active {
			c.enter(Closing, time.Now())
		}
	}
}

// putBack says that the transport has taken the request's connection back, or why not.
// It may be late, and then the connection has its next request. The caller holds mu.
func (p *Pool) putBack(r *request, err error) {
	c := r.conn
	r.put = true
	if c == nil || c.http2 || c.user != r {
		return
	}
	c.user, c.assigned = nil, 0
	if err == nil {
		c.why = ""
		c.enter(Idle, time.Now())
		return
	}
	c.why = reasonOf(err)
	c.enter(Closing, time.Now())
}

package server

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"socketlab/internal/scenario"
	"socketlab/internal/sockopt"
)

// tcpKeys are the keys of every server over TCP.
var tcpKeys scenario.KeySet

var (
	BacklogKey = scenario.NewKey[int](&tcpKeys, scenario.Key{
		Name: "backlog", Text: "let this many connections wait to be accepted (Linux); 0 for the system's limit",
	})
	ReusePortKey = scenario.NewKey[bool](&tcpKeys, scenario.Key{
		Name: "reuse_port", Text: "let the code of a pair open more listeners at the server's port (SO_REUSEPORT; not on Windows)",
	})
	MaxDescriptorsKey = scenario.NewKey[int](&tcpKeys, scenario.Key{
		Name: "max_descriptors", Text: "let the server's process open at most this many descriptors (not on Windows); 0 for the system's limit",
	})
	NoAcceptKey = scenario.NewKey[bool](&tcpKeys, scenario.Key{
		Name: "no_accept", Text: "never accept a connection, with the shortest accept queue there is (Linux)",
	})
	DownAfterKey = scenario.NewKey[scenario.Duration](&tcpKeys, scenario.Key{
		Name: "down_after",
		Text: "go down after this time, with all connections and the listener, for the time of {down_for}; 0 for never",
	})
	DownForKey = scenario.NewKey[scenario.Duration](&tcpKeys, scenario.Key{
		Name: "down_for", Needs: "down_after",
		Text: "how long the server stays down; 0 is a restart",
	})
)

// listenTCP listens on addr with the accept queue that b asks for.
func listenTCP(addr string, b scenario.Server) (Socket, error) {
	var socket net.ListenConfig
	if ReusePortKey.Of(b) {
		socket.Control = sockopt.ReusePort(true)
	}
	l, err := socket.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	switch n := BacklogKey.Of(b); {
	case NoAcceptKey.Of(b):
		err = sockopt.SetBacklog(l, 0)
	case n > 0:
		err = sockopt.SetBacklog(l, n)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// serveTCP does what every server over TCP does with the connections at a socket,
// and has serve do the rest: with l, which is d or in front of it.
func (s *Server) serveTCP(ctx context.Context, at Socket, serve func(ctx context.Context, l net.Listener, d *boundListener) error) error {
	d := &boundListener{server: s, addr: at.Addr(), inner: at.(net.Listener), done: make(chan struct{})}
	defer d.Close()
	b := s.cfg.Behaviour
	if NoAcceptKey.Of(b) {
		<-ctx.Done()
		return nil
	}
	var l net.Listener = d
	if n := MaxConnsKey.Of(b); n > 0 && cmp.Or(OverLimitKey.Of(b), overWait) == overWait {
		l = netutil.LimitListener(d, n)
	}
	if NoReadKey.Of(b) {
		return s.serveConns(ctx, l, s.hold)
	}
	return serve(ctx, l, d)
}

// boundListener is the listener through which all connections come. It counts and
// registers them, turns away those above the limit, and can go away for a
// time: whoever accepts at it notices nothing of that but a silence.
type boundListener struct {
	server *Server
	addr   net.Addr
	done   chan struct{} // closed by Close

	// refuse takes the connections above the limit; nil is to close them. It
	// is set before the first Accept.
	refuse func(net.Conn)

	mu     sync.Mutex
	inner  net.Listener  // nil while the server is down
	back   chan struct{} // closed when it is back, or never will be
	lost   error         // why it never will be
	closed bool
	first  sync.Once
}

// Accept returns the next connection within the limit.
func (d *boundListener) Accept() (net.Conn, error) {
	for {
		inner, err := d.current()
		if err != nil {
			return nil, err
		}
		c, err := inner.Accept()
		if err != nil {
			if d.isDown(inner) {
				continue
			}
			return nil, err
		}
		if c = d.enter(c, inner); c != nil {
			return c, nil
		}
	}
}

// current returns the listener, and waits for it while the server is down.
func (d *boundListener) current() (net.Listener, error) {
	d.mu.Lock()
	inner, back := d.inner, d.back
	d.mu.Unlock()
	if inner != nil {
		return inner, nil
	}
	select {
	case <-d.done:
		return nil, net.ErrClosed
	case <-back:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, net.ErrClosed
	case d.lost != nil:
		return nil, d.lost
	}
	return d.inner, nil
}

// isDown reports whether inner was closed because the server went down.
func (d *boundListener) isDown(inner net.Listener) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.closed && d.inner != inner
}

// enter registers what inner has accepted. It returns nil for a connection
// that is not to be served.
func (d *boundListener) enter(c net.Conn, inner net.Listener) net.Conn {
	s := d.server
	s.work.accepted.Add(1)
	d.first.Do(func() {
		s.clock.start()
		if after := DownAfterKey.Of(s.cfg.Behaviour).D(); after > 0 {
			go d.goDownAfter(after)
		}
	})
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	known := newConn(tcp, &s.conns)
	d.mu.Lock()
	here := d.inner == inner
	within := here && s.conns.add(known)
	d.mu.Unlock()
	switch {
	case !here: // it went down right after Accept
		tcp.Close()
	case within:
		return known
	case d.refuse != nil:
		d.refuse(known)
	default:
		known.Close()
	}
	return nil
}

// goDownAfter takes the server down once.
func (d *boundListener) goDownAfter(after time.Duration) {
	if !d.sleep(after) {
		return
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	inner, back := d.inner, make(chan struct{})
	d.inner, d.back = nil, back
	d.mu.Unlock()
	defer close(back)

	inner.Close()
	free := reserve(d.addr)
	d.server.conns.closeAll()
	stays := d.sleep(DownForKey.Of(d.server.cfg.Behaviour).D())
	free()
	if !stays {
		return
	}
	again, err := listenTCP(d.addr.String(), d.server.cfg.Behaviour)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		d.lost = err
	case d.closed:
		again.Close()
	default:
		d.inner = again.(net.Listener)
	}
}

// sleep waits, and reports false when the listener was closed before.
func (d *boundListener) sleep(long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-d.done:
		return false
	case <-timer.C:
		return true
	}
}

// Addr returns the address of the server, which is the same before and after.
func (d *boundListener) Addr() net.Addr {
	return d.addr
}

// Close closes the listener, for good.
func (d *boundListener) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	close(d.done)
	if d.inner == nil {
		return nil
	}
	return d.inner.Close()
}

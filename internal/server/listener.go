package server

import (
	"net"
	"sync"
	"time"

	"socketlab/internal/scenario"
)

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
		if after := s.cfg.Behaviour.DownAfter.D(); after > 0 {
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
	b := d.server.cfg.Behaviour
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
	stays := d.sleep(b.DownFor.D())
	free()
	if !stays {
		return
	}
	l, err := Listen(d.addr.String(), scenario.Server{Backlog: b.Backlog})
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		d.lost = err
	case d.closed:
		l.Close()
	default:
		d.inner = l
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

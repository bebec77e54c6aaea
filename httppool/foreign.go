package httppool

import (
	"crypto/tls"
	"net"
	"reflect"
	"syscall"
	"weak"
)

// foreign holds the connections that cannot be wrapped, and so do not say when they are
// closed: a [tls.Conn] that DialTLSContext returned, and what was dialled for a
// request that did not come through the Pool. It is asked whether they are closed. Guarded
// by Pool.mu.
type foreign struct {
	// Weak, since the transport is who holds them.
	tls   map[weak.Pointer[tls.Conn]]*connection
	other map[any]foreignConn // by keyOf
	// next is how many there may be until it is asked again.
	next int
}

type foreignConn struct {
	net.Conn
	c *connection
}

// keyOf returns what a map can find conn by. A type of the program's may be one that
// cannot be compared, such as a struct with a slice; then it is by the addresses.
func keyOf(conn net.Conn) any {
	if reflect.ValueOf(conn).Comparable() {
		return conn
	}
	local, remote := addrs(conn)
	return [2]string{local, remote}
}

func (f *foreign) len() int { return len(f.tls) + len(f.other) }

func (f *foreign) add(conn net.Conn, c *connection) {
	c.foreign = true
	if secure, ok := conn.(*tls.Conn); ok {
		if f.tls == nil {
			f.tls = map[weak.Pointer[tls.Conn]]*connection{}
		}
		f.tls[weak.Make(secure)] = c
		return
	}
	if f.other == nil {
		f.other = map[any]foreignConn{}
	}
	f.other[keyOf(conn)] = foreignConn{conn, c}
}

func (f *foreign) get(conn net.Conn) *connection {
	if f.len() == 0 {
		return nil
	}
	if secure, ok := conn.(*tls.Conn); ok {
		return f.tls[weak.Make(secure)]
	}
	return f.other[keyOf(conn)].c
}

// forgetClosed forgets the foreign connections that are closed, where they have
// doubled since the last time. The caller holds mu.
func (p *Pool) forgetClosed() {
	const few = 16
	if p.foreign.len() >= max(p.foreign.next, few) {
		p.askForeign()
		p.foreign.next = 2 * p.foreign.len()
	}
}

// askForeign asks every foreign connection. The caller holds mu.
func (p *Pool) askForeign() {
	for weakly, c := range p.foreign.tls {
		secure := weakly.Value()
		if secure == nil || isClosed(secure.NetConn()) {
			delete(p.foreign.tls, weakly)
			p.removed(c, p.whyForeign(c))
		}
	}
	for key, of := range p.foreign.other {
		if isClosed(of.Conn) {
			delete(p.foreign.other, key)
			p.removed(of.c, p.whyForeign(of.c))
		}
	}
}

// whyForeign says why a connection was closed whose Close was not seen.
func (p *Pool) whyForeign(c *connection) Reason {
	if c.why != "" {
		return c.why
	}
	return Unseen
}

// isClosed reports whether this process has closed the connection, where that can be seen.
func isClosed(conn net.Conn) bool {
	for {
		switch c := conn.(type) {
		case syscall.Conn:
			raw, err := c.SyscallConn()
			return err != nil || raw.Control(func(uintptr) {}) != nil
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return false
		}
	}
}

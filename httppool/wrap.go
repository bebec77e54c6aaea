package httppool

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
)

// wrapped is a connection that is one of a Pool's.
type wrapped interface {
	connection() *connection
	NetConn() net.Conn
}

// conn is a connection that says how its reads and writes end, and when it is closed.
type conn struct {
	net.Conn
	c      *connection
	closes atomic.Bool
}

func (c *conn) connection() *connection { return c.c }

// NetConn returns the connection as it was dialled.
func (c *conn) NetConn() net.Conn { return c.Conn }

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.failed(&c.c.readErr, err)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failed(&c.c.writeErr, err)
	}
	return n, err
}

// failed notes the first error. What fails because of a Close says nothing.
func (c *conn) failed(first *error, err error) {
	if c.closes.Load() {
		return
	}
	c.c.pool.mu.Lock()
	defer c.c.pool.mu.Unlock()
	if *first == nil {
		*first = err
	}
}

func (c *conn) Close() error {
	if !c.closes.CompareAndSwap(false, true) {
		return c.Conn.Close() // as it answers a second Close
	}
	return c.c.closed(c.Conn.Close)
}

// The optional methods of a connection that net/http, crypto/tls and their users look for.
type (
	readerFrom  struct{ *conn }
	closeWriter struct{ *conn }
	syscaller   struct{ *conn }
)

func (c readerFrom) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.Conn.(io.ReaderFrom).ReadFrom(r)
	if err != nil {
		c.failed(&c.c.writeErr, err)
	}
	return n, err
}

func (c closeWriter) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (c syscaller) SyscallConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn()
}

// secure is a connection whose ConnectionState net/http asks for since Go 1.27: what DialTLSContext
// returned and is no *tls.Conn. It has all optional methods; where the connection within
// lacks one, it does what net/http does without it.
type secure struct{ *conn }

type connectionStater interface{ ConnectionState() tls.ConnectionState }

func (c secure) ConnectionState() tls.ConnectionState {
	return c.Conn.(connectionStater).ConnectionState()
}

func (c secure) HandshakeContext(ctx context.Context) error {
	if h, ok := c.Conn.(interface{ HandshakeContext(context.Context) error }); ok {
		return h.HandshakeContext(ctx)
	}
	return nil
}

func (c secure) ReadFrom(r io.Reader) (int64, error) {
	if _, ok := c.Conn.(io.ReaderFrom); ok {
		return readerFrom(c).ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.conn}, r)
}

func (c secure) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

// wrap returns conn so that its end is seen. It has those optional methods that conn has.
func wrap(c *connection, inner net.Conn) net.Conn {
	w := &conn{Conn: inner, c: c}
	if _, ok := inner.(connectionStater); ok {
		return secure{w}
	}
	_, reads := inner.(io.ReaderFrom)
	_, closes := inner.(interface{ CloseWrite() error })
	_, raw := inner.(syscall.Conn)
	type (
		readFrom interface {
			ReadFrom(io.Reader) (int64, error)
		}
		closeWrite  interface{ CloseWrite() error }
		syscallConn = syscall.Conn
	)
	r, cw, s := readerFrom{w}, closeWriter{w}, syscaller{w}
	switch {
	case reads && closes && raw:
		return struct {
			*conn
			readFrom
			closeWrite
			syscallConn
		}{w, r, cw, s}
	case reads && closes:
		return struct {
			*conn
			readFrom
			closeWrite
		}{w, r, cw}
	case reads && raw:
		return struct {
			*conn
			readFrom
			syscallConn
		}{w, r, s}
	case closes && raw:
		return struct {
			*conn
			closeWrite
			syscallConn
		}{w, cw, s}
	case reads:
		return struct {
			*conn
			readFrom
		}{w, r}
	case closes:
		return struct {
			*conn
			closeWrite
		}{w, cw}
	case raw:
		return struct {
			*conn
			syscallConn
		}{w, s}
	}
	return w
}

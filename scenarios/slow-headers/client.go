package slowheaders

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// slow is how many of the first requests never end their header.
const slow = 100

// client plays slow clients first, and then ordinary ones.
type client struct {
	addr     string
	every    time.Duration
	ordinary loadgen.Caller
	calls    atomic.Int64
}

// NewClient returns the clients of the order service, slow and ordinary ones.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{addr: t.Addr, every: t.Every, ordinary: loadgen.NewPlain(t)}
}

// Call makes one request.
func (c *client) Call(ctx context.Context) error {
	if c.calls.Add(1) > slow {
		return c.ordinary.Call(ctx)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	part := []byte("GET / HTTP/1.1\r\nHost: orders\r\nX-Filler: ")
	for {
		if _, err := conn.Write(part); err != nil {
			return err
		}
		part = []byte("x")
		if err := conn.SetReadDeadline(time.Now().Add(c.every)); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err // the server closed the connection
		}
	}
}

package onewayprotocol

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"socketlab/internal/loadgen"
)

// fixed ships log lines to a collector, which never responds.
type fixed struct {
	addr string
	mu   sync.Mutex // guards conn
	conn net.Conn
}

// NewFixed returns a shipper of log lines.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{addr: t.Addr} }

// Call ships one line.
func (c *fixed) Call(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return err
		}
		c.conn = conn
		go func() {
			_, _ = io.Copy(io.Discard, conn) // until the collector closes
			conn.Close()
		}()
	}
	_, err := fmt.Fprintln(c.conn, "order 1234 was paid")
	if err != nil {
		c.conn.Close()
		c.conn = nil
	}
	return err
}

package onewayprotocol

import (
	"context"
	"fmt"
	"net"
	"sync"

	"socketlab/internal/loadgen"
)

// faulty ships log lines to a collector, which never responds.
type faulty struct {
	addr string
	mu   sync.Mutex // guards conn
	conn net.Conn
}

// NewFaulty returns a shipper of log lines.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{addr: t.Addr} }

// Call ships one line.
func (c *faulty) Call(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	_, err := fmt.Fprintln(c.conn, "order 1234 was paid")
	if err != nil {
		c.conn.Close()
		c.conn = nil
	}
	return err
}

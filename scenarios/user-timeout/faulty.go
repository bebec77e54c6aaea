package usertimeout

import (
	"context"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client that streams orders to the database.
type faulty struct {
	addr   string
	dialer net.Dialer
	loadgen.Detection
}

// NewFaulty returns a client that streams orders to the database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr, dialer: net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 2,
	}}}
}

// Call sends an order every 200 ms until the connection ends.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return stream(conn, &c.Detection)
}

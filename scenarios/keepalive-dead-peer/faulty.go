package keepalivedeadpeer

import (
	"context"
	"io"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a subscriber of the order events.
type faulty struct {
	addr   string
	dialer net.Dialer
	loadgen.Detection
}

// NewFaulty returns a subscriber of the order events.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr, dialer: net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9,
	}}}
}

// Call reads events until the server ends the subscription.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	opened := time.Now()
	_, err = io.Copy(io.Discard, conn)
	c.Noticed(opened)
	return err
}

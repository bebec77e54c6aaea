package keepalivedeadpeer

import (
	"context"
	"io"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a subscriber of the order events.
type fixed struct {
	addr   string
	dialer net.Dialer
	loadgen.Detection
}

// NewFixed returns a subscriber of the order events.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{addr: t.Addr, dialer: net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 2,
	}}}
}

// Call reads events until the server ends the subscription.
func (c *fixed) Call(ctx context.Context) error {
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

package usertimeout

import (
	"context"
	"net"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client that streams orders to the database.
type fixed struct {
	addr   string
	dialer net.Dialer
	loadgen.Detection
}

// NewFixed returns a client that streams orders to the database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{addr: t.Addr, dialer: net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 2,
	}}}
}

// Call sends an order every 200 ms until the connection ends.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := toydb.SetUserTimeout(conn.(*net.TCPConn), 2*time.Second); err != nil {
		return err
	}
	return stream(conn, &c.Detection)
}

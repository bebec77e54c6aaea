package hungpeerappping

import (
	"bufio"
	"context"
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

// Call reads events until the connection ends.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	lines := bufio.NewReader(conn)
	go ping(conn, 300*time.Millisecond)
	for heard := time.Now(); ; heard = time.Now() {
		_ = conn.SetReadDeadline(time.Now().Add(800 * time.Millisecond))
		if _, err := lines.ReadString('\n'); err != nil {
			c.Noticed(heard)
			return err
		}
	}
}

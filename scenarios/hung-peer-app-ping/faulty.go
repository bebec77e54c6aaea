package hungpeerappping

import (
	"bufio"
	"context"
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
		Enable: true, Idle: time.Second, Interval: time.Second, Count: 2,
	}}}
}

// Call reads events until the connection ends.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for heard := time.Now(); ; heard = time.Now() {
		if _, err := lines.ReadString('\n'); err != nil {
			c.Noticed(heard)
			return err
		}
	}
}

package timeoutwritestall

import (
	"context"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the log collector.
type fixed struct {
	addr    string
	timeout time.Duration
	lines   []byte
}

// NewFixed returns a client of the log collector.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{addr: t.Addr, timeout: t.Scaled(500 * time.Millisecond), lines: make([]byte, 8_000_000)}
}

// Call sends the lines of a minute, and waits for the collector's receipt.
func (c *fixed) Call(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for rest := c.lines; len(rest) > 0; {
		_ = conn.SetWriteDeadline(time.Now().Add(c.timeout))
		n, err := conn.Write(rest[:min(len(rest), 32<<10)])
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	_ = conn.SetReadDeadline(time.Now().Add(c.timeout))
	_, err = conn.Read(make([]byte, 1))
	return err
}

package timeoutwritestall

import (
	"context"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the log collector.
type faulty struct {
	addr    string
	timeout time.Duration
	lines   []byte
}

// NewFaulty returns a client of the log collector.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr, timeout: t.Scaled(500 * time.Millisecond), lines: make([]byte, 8_000_000)}
}

// Call sends the lines of a minute, and waits for the collector's receipt.
func (c *faulty) Call(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(c.lines); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(c.timeout))
	_, err = conn.Read(make([]byte, 1))
	return err
}

package timeoutwritestall

import (
	"context"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the log collector.
type faulty struct {
	loadgen.Target
	lines []byte
}

// NewFaulty returns a client of the log collector.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{t, make([]byte, t.Send)}
}

// Call sends the lines of a minute, and waits for the collector's receipt.
func (c *faulty) Call(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.Timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(c.lines); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(c.Timeout))
	_, err = conn.Read(make([]byte, 1))
	return err
}

package finwait2halfclose

import (
	"context"
	"io"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client that uploads orders.
type fixed struct {
	addr    string
	timeout time.Duration
}

// NewFixed returns a client that uploads orders.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{addr: t.Addr, timeout: t.Scaled(time.Second)}
}

// Call uploads one order. The end of the upload is the end of our half, and the
// server confirms by closing its own.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: c.timeout}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	_ = tcp.SetDeadline(time.Now().Add(c.timeout))
	if _, err := io.WriteString(tcp, "INSERT INTO orders\n"); err != nil {
		return err
	}
	if err := tcp.CloseWrite(); err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, tcp); err != nil {
		_ = tcp.SetLinger(0) // given up: a reset ends both halves
	}
	return err
}

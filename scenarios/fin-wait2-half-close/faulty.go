package finwait2halfclose

import (
	"context"
	"io"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client that uploads orders.
type faulty struct {
	addr    string
	timeout time.Duration
}

// NewFaulty returns a client that uploads orders.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr, timeout: t.Scaled(time.Second)}
}

// Call uploads one order. The end of the upload is the end of our half, and the
// server confirms by closing its own.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := (&net.Dialer{Timeout: c.timeout}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	if _, err := io.WriteString(tcp, "INSERT INTO orders\n"); err != nil {
		return err
	}
	if err := tcp.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, tcp)
	return err
}

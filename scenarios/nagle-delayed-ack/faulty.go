package nagledelayedack

import (
	"bufio"
	"context"
	"io"
	"net"

	"socketlab/internal/loadgen"
)

// faulty is a client of the order database.
type faulty struct{ addr string }

// NewFaulty returns a client of the order database.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{addr: t.Addr} }

// Call looks ten orders up, one after the other.
func (c *faulty) Call(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetNoDelay(false); err != nil {
		return err
	}
	lines := bufio.NewReader(conn)
	if _, err := lines.ReadString('\n'); err != nil { // the greeting
		return err
	}
	for range 10 {
		if _, err := io.WriteString(conn, "SELECT state FROM orders"); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, "\n"); err != nil {
			return err
		}
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

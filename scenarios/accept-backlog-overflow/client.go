package acceptbacklogoverflow

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// client is a client of the chat service on a slow network: each of its lines takes a
// while to arrive.
type client struct {
	addr  string
	delay time.Duration
}

// NewClient returns the client that both sides get.
func NewClient(t loadgen.Target) loadgen.Caller { return &client{addr: t.Addr, delay: t.Every} }

// Call is asked for its name, gives it, and sends ten lines that the server sends back.
func (c *client) Call(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	lines := bufio.NewReader(conn)
	_, err = lines.ReadString('\n')
	for line := range 11 { // the first is the name, which is not sent back
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.delay):
		}
		_, err = fmt.Fprintln(conn, "line", line)
		if err == nil && line > 0 {
			_, err = lines.ReadString('\n')
		}
	}
	return err
}

package acceptqueueofthedead

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// client is many clients of the price service: each has a connection of its own.
type client struct {
	addr    string
	timeout time.Duration
}

// NewClient returns the client that both sides get.
func NewClient(t loadgen.Target) loadgen.Caller { return &client{addr: t.Addr, timeout: t.Timeout} }

// Call asks for a price, and gives up when the timeout is over.
func (c *client) Call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(conn, "PRICE 17"); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}

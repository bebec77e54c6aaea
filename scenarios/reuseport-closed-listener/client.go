package reuseportclosedlistener

import (
	"bufio"
	"context"
	"fmt"
	"net"

	"socketlab/internal/loadgen"
)

// NewClient returns the client that both sides get: it sends an order on a connection
// of its own, and reads it back.
func NewClient(t loadgen.Target) loadgen.Caller {
	return loadgen.CallerFunc(func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", t.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.Close() })()
		if _, err := fmt.Fprintln(c, "one book"); err != nil {
			return err
		}
		_, err = bufio.NewReader(c).ReadString('\n')
		return err
	})
}

package halfopenpeers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"socketlab/internal/loadgen"
)

// NewClient returns the client that both sides get: it answers pings for a while, and
// leaves.
func NewClient(t loadgen.Target) loadgen.Caller {
	return loadgen.CallerFunc(func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", t.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(t.Every)); err != nil {
			return err
		}
		for ping := make([]byte, len("ping\n")); err == nil; {
			if _, err = io.ReadFull(c, ping); err == nil {
				_, err = fmt.Fprintln(c, "pong")
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // it has been there for as long as it wanted
		}
		return err
	})
}

package gracefulshutdown

import (
	"bufio"
	"context"
	"fmt"
	"net"

	"socketlab/internal/loadgen"
	"socketlab/internal/tcpserver"
)

// NewClient returns the client that both sides get: it reads the greeting, sends an
// order and reads the receipt.
func NewClient(t loadgen.Target) loadgen.Caller {
	return loadgen.CallerFunc(func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", t.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.Close() })()
		lines := bufio.NewReader(c)
		greeting, err := lines.ReadString('\n')
		if err == nil && greeting != tcpserver.Hello+"\n" {
			err = fmt.Errorf("the server said %q", greeting)
		}
		if err == nil {
			_, err = fmt.Fprintln(c, "one book")
		}
		if err == nil {
			_, err = lines.ReadString('\n')
		}
		return err
	})
}

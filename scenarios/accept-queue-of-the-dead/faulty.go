package acceptqueueofthedead

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
)

// ServeFaulty runs the price service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
	context.AfterFunc(ctx, func() { l.Close() })
	var prices prices
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		query := bufio.NewReader(c)
		if line, err := query.ReadString('\n'); err == nil {
			fmt.Fprintln(c, prices.of(line))
		}
		c.Close()
	}
}

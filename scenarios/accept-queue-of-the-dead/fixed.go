package acceptqueueofthedead

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// ServeFixed runs the price service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
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
		if line, err := query.ReadString('\n'); err == nil && waits(c, query) {
			fmt.Fprintln(c, prices.of(line))
		}
		c.Close()
	}
}

// waits reports whether the client is still there: one that has closed its connection
// is read as the end of the stream at once, and one that waits as nothing for 1 ms.
func waits(c net.Conn, query *bufio.Reader) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := query.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

package halfopenpeers

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// ServeFixed runs the presence service until ctx is done. It pings each of its
// clients, and they answer.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
	context.AfterFunc(ctx, func() { l.Close() })
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go ping(c, 600*time.Millisecond)
		go func() {
			defer c.Close()
			pongs := bufio.NewReader(c)
			var err error
			for err == nil {
				_ = c.SetReadDeadline(time.Now().Add(1200 * time.Millisecond)) // two pings
				_, err = pongs.ReadString('\n')
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				_ = c.(interface{ SetLinger(int) error }).SetLinger(0) // a FIN would wait, too
			}
		}()
	}
}

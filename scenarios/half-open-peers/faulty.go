package halfopenpeers

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"time"
)

// ServeFaulty runs the presence service until ctx is done. It pings each of its
// clients, and they answer.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
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
				_, err = pongs.ReadString('\n')
			}
		}()
	}
}

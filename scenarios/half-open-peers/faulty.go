package halfopenpeers

import (
	"bufio"
	"context"
	"fmt"
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
		go func() {
			for range time.Tick(600 * time.Millisecond) {
				if _, err := fmt.Fprintln(c, "ping"); err != nil {
					return
				}
			}
		}()
		go func() {
			defer c.Close()
			var err error
			for pongs := bufio.NewReader(c); err == nil; {
				_, err = pongs.ReadString('\n')
			}
		}()
	}
}

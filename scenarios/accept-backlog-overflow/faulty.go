package acceptbacklogoverflow

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
)

// ServeFaulty runs the chat service until ctx is done.
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
		lines := bufio.NewScanner(c)
		fmt.Fprintln(c, "Your name?")
		if !lines.Scan() {
			c.Close()
			continue
		}
		go func() {
			defer c.Close()
			for lines.Scan() {
				fmt.Fprintln(c, lines.Text())
			}
		}()
	}
}

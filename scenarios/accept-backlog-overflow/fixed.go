package acceptbacklogoverflow

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
)

// ServeFixed runs the chat service until ctx is done.
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
		go func() {
			defer c.Close()
			lines := bufio.NewScanner(c)
			fmt.Fprintln(c, "Your name?")
			if !lines.Scan() {
				return
			}
			for lines.Scan() {
				fmt.Fprintln(c, lines.Text())
			}
		}()
	}
}

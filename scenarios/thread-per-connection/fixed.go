package threadperconnection

import (
	"context"
	"net"
	"net/http"
)

// ServeFixed runs the echo service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		go func() {
			defer conn.Close()
			echo(conn)
		}()
	}
}

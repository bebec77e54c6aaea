package socketbuffers

import (
	"context"
	"net"
	"net/http"
)

// ServeFaulty runs the price feed until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
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
			feed(ctx, conn)
		}()
	}
}

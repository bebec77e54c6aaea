package upgradedconnectionleft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the price service until ctx is done. It pushes a price whenever
// there is a new one, over an upgraded connection.
func ServeFixed(ctx context.Context, l net.Listener, _ http.Handler) error {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: prices\r\n\r\n")
		ctx, leave := context.WithCancel(ctx)
		defer leave()
		go func() {
			_, _ = io.Copy(io.Discard, conn) // returns when the client has closed its end
			leave()
		}()
		prices := time.NewTicker(time.Minute)
		defer prices.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-prices.C:
				fmt.Fprintln(conn, "price")
			}
		}
	})}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

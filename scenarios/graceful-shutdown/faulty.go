package gracefulshutdown

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"socketlab/internal/tcpserver"
)

// ServeFaulty runs the order service until ctx is done, over raw TCP: a line for an
// order, a line for its receipt.
func ServeFaulty(ctx context.Context, l net.Listener, _ http.Handler) error {
	srv := &tcpserver.Server{
		MaxConns: 100, MaxPerClient: 50,
		Respond: func(order string) string {
			time.Sleep(2 * time.Second)
			return "receipt for " + order
		},
	}
	if err := srv.Serve(ctx, l, 100*time.Millisecond); err != nil {
		slog.Warn("The server has stopped.", "error", err)
	}
	return nil
}

package maxconnectionsperclient

import (
	"context"
	"errors"
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, orders http.Handler) error {
	l = netutil.LimitListener(l, 20)
	srv := &http.Server{Handler: orders}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

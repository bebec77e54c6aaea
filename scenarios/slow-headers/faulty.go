package slowheaders

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, orders http.Handler) error {
	srv := &http.Server{Handler: orders}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

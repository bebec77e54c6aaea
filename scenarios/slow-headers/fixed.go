package slowheaders

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the order service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, orders http.Handler) error {
	srv := &http.Server{Handler: orders, ReadHeaderTimeout: 500 * time.Millisecond}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

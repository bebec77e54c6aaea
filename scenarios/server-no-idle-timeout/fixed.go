package servernoidletimeout

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the lyrics service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, lyrics http.Handler) error {
	srv := &http.Server{Handler: lyrics, IdleTimeout: 1500 * time.Millisecond}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

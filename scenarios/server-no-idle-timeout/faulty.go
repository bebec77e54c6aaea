package servernoidletimeout

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the lyrics service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, lyrics http.Handler) error {
	srv := &http.Server{Handler: lyrics}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

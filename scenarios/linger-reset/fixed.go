package lingerreset

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFixed runs the report service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, reports http.Handler) error {
	srv := &http.Server{Handler: reports}
	srv.SetKeepAlivesEnabled(false)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- srv.Shutdown(context.Background())
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

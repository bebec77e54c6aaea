package connectionageattheserver

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the price service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, prices http.Handler) error {
	srv := &http.Server{Handler: prices}
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

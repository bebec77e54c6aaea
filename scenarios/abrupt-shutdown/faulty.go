package abruptshutdown

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, orders http.Handler) error {
	srv := &http.Server{Handler: orders}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

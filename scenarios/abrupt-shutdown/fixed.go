package abruptshutdown

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the order service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, orders http.Handler) error {
	srv := &http.Server{Handler: orders}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

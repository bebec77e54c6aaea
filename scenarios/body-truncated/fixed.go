package bodytruncated

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFixed runs the export service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, exports http.Handler) error {
	srv := &http.Server{Handler: exports}
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

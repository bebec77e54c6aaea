package closewaitsforkeptconnections

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFixed runs the album service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, albums http.Handler) error {
	srv := &http.Server{Handler: albums}
	stopped := make(chan error, 1)
	stop := func() { stopped <- srv.Shutdown(context.Background()) }
	defer context.AfterFunc(ctx, stop)()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

package writetimeoutcut

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFaulty runs the report service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, reports http.Handler) error {
	srv := &http.Server{Handler: reports, WriteTimeout: 500 * time.Millisecond}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

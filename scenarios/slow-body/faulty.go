package slowbody

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, orders http.Handler) error {
	take := func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body) // a real one keeps the order
		if err != nil {
			http.Error(w, "the order did not arrive", http.StatusRequestTimeout)
			return
		}
		orders.ServeHTTP(w, r)
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(take),
		ReadHeaderTimeout: 500 * time.Millisecond,
	}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

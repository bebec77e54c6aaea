package slowbody

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the order service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, orders http.Handler) error {
	take := func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		err := rc.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body) // a real one keeps the order
		}
		if err == nil {
			err = rc.SetReadDeadline(time.Time{}) // the work may take longer
		}
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

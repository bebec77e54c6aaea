package early413

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the upload service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, uploads http.Handler) error {
	take := func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 1<<20 {
			http.Error(w, "more than 1 MiB", http.StatusRequestEntityTooLarge)
			rc := http.NewResponseController(w)
			err := errors.Join(rc.Flush(), rc.SetReadDeadline(time.Now().Add(5*time.Second)))
			if err == nil {
				_, _ = io.Copy(io.Discard, r.Body) // up to the deadline
			}
			return
		}
		uploads.ServeHTTP(w, r)
	}
	srv := &http.Server{Handler: http.HandlerFunc(take)}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

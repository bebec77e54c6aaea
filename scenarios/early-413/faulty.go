package early413

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the upload service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, uploads http.Handler) error {
	take := func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 1<<20 {
			http.Error(w, "more than 1 MiB", http.StatusRequestEntityTooLarge)
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

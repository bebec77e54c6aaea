package bodyunreadnocancel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFaulty runs the news service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, news http.Handler) error {
	fresh := make(chan struct{}) // closed when there is news, and there is none today
	poll := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-fresh:
		case <-time.After(30 * time.Second):
		case <-r.Context().Done():
			return
		}
		news.ServeHTTP(w, r)
	}
	srv := &http.Server{Handler: http.HandlerFunc(poll)}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

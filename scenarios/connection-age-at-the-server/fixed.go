package connectionageattheserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// opened is the key of the time at which a connection was accepted.
type opened struct{}

// ServeFixed runs the price service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, prices http.Handler) error {
	srv := &http.Server{ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, opened{}, time.Now())
	}}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepted := r.Context().Value(opened{}).(time.Time)
		if time.Since(accepted) > 500*time.Millisecond {
			w.Header().Set("Connection", "close") // this response is its last one
		}
		prices.ServeHTTP(w, r)
	})
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

package redirectbodyunread

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFixed runs the shop until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, shop http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/shop", shop)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/shop", http.StatusMovedPermanently)
	})
	srv := &http.Server{Handler: mux}
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

package redirectbodyunread

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

var moved = "<p>This page has moved.</p>" + strings.Repeat("<!-- site menu -->\n", 1000)

// ServeFaulty runs the shop until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, shop http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/shop", shop)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/shop")
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = io.WriteString(w, moved)
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

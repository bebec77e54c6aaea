package fdlimit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// ServeFaulty runs the report service until ctx is done. Each report holds one
// descriptor for its connection, and one for its template.
func ServeFaulty(ctx context.Context, l net.Listener, reports http.Handler) error {
	srv := &http.Server{IdleTimeout: time.Second}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		template, err := os.Open(os.DevNull)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer template.Close()
		reports.ServeHTTP(w, r)
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

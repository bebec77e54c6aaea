package fdlimit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/net/netutil"
)

// ServeFixed runs the report service until ctx is done. Each report holds one
// descriptor for its connection, and one for its template.
func ServeFixed(ctx context.Context, l net.Listener, reports http.Handler) error {
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
	limited := netutil.LimitListener(l, 20)
	if err := srv.Serve(limited); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

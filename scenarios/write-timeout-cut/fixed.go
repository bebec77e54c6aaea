package writetimeoutcut

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ServeFixed runs the report service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, reports http.Handler) error {
	take := func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		err := rc.SetWriteDeadline(time.Now().Add(5 * time.Second))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reports.ServeHTTP(w, r)
	}
	srv := &http.Server{Handler: http.HandlerFunc(take), WriteTimeout: 500 * time.Millisecond}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

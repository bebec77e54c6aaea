package slowreader

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, orders http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/", orders)
	mux.HandleFunc("/report", func(w http.ResponseWriter, r *http.Request) {
		rows := make([]byte, 64<<10)
		w.Header().Set("Content-Length", strconv.Itoa(1000*len(rows)))
		for range 1000 {
			if _, err := w.Write(rows); err != nil {
				return
			}
		}
	})
	srv := &http.Server{Handler: mux}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

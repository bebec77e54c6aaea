package postsenttwice

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// ServeFaulty runs the order service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, receipt http.Handler) error {
	var mu sync.Mutex
	placed := map[string]int{} // by order
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1024))
		if err != nil {
			return
		}
		mu.Lock()
		placed[string(order)]++
		w.Header().Set("Placed", strconv.Itoa(placed[string(order)]))
		mu.Unlock()
		receipt.ServeHTTP(w, r)
	})}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

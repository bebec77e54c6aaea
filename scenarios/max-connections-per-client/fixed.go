package maxconnectionsperclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"

	"golang.org/x/net/netutil"
)

// ServeFixed runs the order service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, orders http.Handler) error {
	l = netutil.LimitListener(l, 20)
	var mu sync.Mutex
	open := map[string]int{} // connections by client; guarded by mu
	limit := func(c net.Conn, state http.ConnState) {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			if open[host]++; open[host] > 5 {
				c.Close()
			}
		case http.StateClosed, http.StateHijacked:
			if open[host]--; open[host] == 0 {
				delete(open, host)
			}
		}
	}
	srv := &http.Server{Handler: orders, ConnState: limit}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

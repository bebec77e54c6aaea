package lingerreset

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// ServeFaulty runs the report service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, reports http.Handler) error {
	srv := &http.Server{
		Handler: reports,
		ConnState: func(conn net.Conn, state http.ConnState) {
			if tcp, ok := conn.(interface{ SetLinger(int) error }); ok && state == http.StateNew {
				_ = tcp.SetLinger(0) // no TIME_WAIT
			}
		},
	}
	srv.SetKeepAlivesEnabled(false)
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

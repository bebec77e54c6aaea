package addressinuse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"socketlab/internal/sockopt"
)

// ServeFaulty runs the catalogue service until ctx is done. After one second a new
// release takes over its address.
func ServeFaulty(ctx context.Context, l net.Listener, catalogue http.Handler) error {
	old, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := faultyRelease(old, l, catalogue); err != nil {
		return err
	}
	socket := net.ListenConfig{Control: sockopt.ReuseAddr(false)}
	for ctx.Err() == nil {
		again, err := socket.Listen(ctx, "tcp", l.Addr().String())
		if err == nil {
			return faultyRelease(ctx, again, catalogue)
		}
		time.Sleep(100 * time.Millisecond) // then its supervisor starts it again
	}
	return nil
}

func faultyRelease(ctx context.Context, l net.Listener, catalogue http.Handler) error {
	srv := &http.Server{Handler: catalogue}
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

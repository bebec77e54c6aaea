package addressinuse

import (
	"context"
	"net"
	"net/http"
	"time"

	"socketlab/internal/sockopt"
)

// ServeFaulty runs the catalogue service until ctx is done. A second after the first
// request a new release takes over its address.
func ServeFaulty(ctx context.Context, l net.Listener, catalogue http.Handler) error {
	if err := oldRelease(ctx, l, catalogue); err != nil {
		return err
	}
	socket := net.ListenConfig{Control: sockopt.ReuseAddr(false)}
	for ctx.Err() == nil {
		again, err := socket.Listen(ctx, "tcp", l.Addr().String())
		if err == nil {
			return release(ctx, again, catalogue)
		}
		time.Sleep(100 * time.Millisecond) // then its supervisor starts it again
	}
	return nil
}

package synqueueandsyncookies

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
)

// ServeFixed runs the shop until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, shop http.Handler) error {
	const cookies = "/proc/sys/net/ipv4/tcp_syncookies"
	if err := os.WriteFile(cookies, []byte("1"), 0); err != nil {
		return err
	}
	srv := &http.Server{Handler: shop}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

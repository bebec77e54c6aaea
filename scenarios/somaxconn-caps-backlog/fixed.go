package somaxconncapsbacklog

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// ServeFixed runs the search service until ctx is done.
func ServeFixed(ctx context.Context, l net.Listener, search http.Handler) error {
	const limit = "/proc/sys/net/core/somaxconn"
	if err := os.WriteFile(limit, []byte("1024"), 0); err != nil {
		return err
	}
	l, err := listen(l, 1024)
	if err != nil {
		return err
	}
	time.Sleep(700 * time.Millisecond) // the index is read, while clients connect already
	srv := &http.Server{Handler: search}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

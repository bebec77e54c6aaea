package closewaitsforkeptconnections

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// ServeFaulty runs the album service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, albums http.Handler) error {
	var open sync.WaitGroup
	srv := &http.Server{Handler: albums, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Done()
		}
	}}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	if err := srv.Serve(l); !errors.Is(err, net.ErrClosed) {
		return err
	}
	open.Wait()
	return nil
}

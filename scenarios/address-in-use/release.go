package addressinuse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// release serves at l until ctx is done, and then closes its connections.
func release(ctx context.Context, l net.Listener, catalogue http.Handler) error {
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

// oldRelease is one that ends a second after its first request, so that it has
// connections then, and after 5 s without one.
func oldRelease(ctx context.Context, l net.Listener, catalogue http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := time.AfterFunc(5*time.Second, cancel)
	asked := sync.OnceFunc(func() { end.Reset(time.Second) })
	return release(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked()
		catalogue.ServeHTTP(w, r)
	}))
}

package bodytruncated

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// plain sends a response without chunks, for clients that cannot read them.
type plain struct{ http.ResponseWriter }

func (w plain) WriteHeader(status int) {
	w.Header().Del("Content-Length") // it is not always right
	w.Header().Set("Transfer-Encoding", "identity")
	w.ResponseWriter.WriteHeader(status)
}

func (w plain) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeFaulty runs the export service until ctx is done.
func ServeFaulty(ctx context.Context, l net.Listener, exports http.Handler) error {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exports.ServeHTTP(plain{w}, r)
	})}
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

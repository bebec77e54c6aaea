package hintnothonoured

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"socketlab/internal/loadgen"
)

// NewFixed returns a client of the order service. Each call places an order.
func NewFixed(t loadgen.Target) loadgen.Caller {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 6}}
	return loadgen.CallerFunc(func(ctx context.Context) error {
		var conn net.Conn
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
			conn = got.Conn
			_ = conn.SetReadDeadline(time.Time{})
		}})
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, strings.NewReader("article=4711"))
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if idle := announced(resp.Header); idle > time.Second {
			// The pool closes an idle connection on which a read fails.
			_ = conn.SetReadDeadline(time.Now().Add(idle - time.Second))
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}

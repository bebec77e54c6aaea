package connectionageattheserver

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// NewClient returns the client that both sides get: it looks the name up whenever it
// dials, and dials when it has no connection.
func NewClient(t loadgen.Target) loadgen.Caller {
	client := &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 1,
		DialContext:     loadgen.DialByName(t.DNS),
	}}
	return loadgen.CallerFunc(func(ctx context.Context) error { return loadgen.Get(ctx, client, t.URL) })
}

package somaxconncapsbacklog

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// client is many clients of the search service: each has a connection of its own.
type client struct {
	url        string
	httpClient *http.Client
}

// NewClient returns the client that both sides get.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// Call searches for something.
func (c *client) Call(ctx context.Context) error { return loadgen.Get(ctx, c.httpClient, c.url) }

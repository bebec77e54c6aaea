package http2overmaxconns

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the thumbnail service, which allows it one connection.
type fixed struct {
	url        string
	httpClient *http.Client
	streams    chan struct{}
}

// NewFixed returns a client of the thumbnail service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols, MaxConnsPerHost: 1,
	}}, streams: make(chan struct{}, 10)} // as many as the server allows
}

// Call fetches one thumbnail; fifty may be on their way at once.
func (c *fixed) Call(ctx context.Context) error {
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return loadgen.Get(ctx, c.httpClient, c.url)
}

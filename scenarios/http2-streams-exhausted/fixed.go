package http2streamsexhausted

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the label service. It is to have one connection.
type fixed struct {
	url        string
	httpClient *http.Client
	streams    chan struct{}
}

// NewFixed returns a client of the label service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols,
	}}, streams: make(chan struct{}, 10)} // as many as the server allows
}

// Call fetches one label; thirty may be on their way at once.
func (c *fixed) Call(ctx context.Context) error {
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return loadgen.Get(ctx, c.httpClient, c.url)
}

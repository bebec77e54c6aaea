package http2streamsexhausted

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the label service. It is to have one connection.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the label service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		HTTP2:     &http.HTTP2Config{StrictMaxConcurrentRequests: true},
	}}}
}

// Call fetches one label; thirty may be on their way at once.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.httpClient, c.url)
}

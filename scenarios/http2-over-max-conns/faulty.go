package http2overmaxconns

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the thumbnail service, which allows it one connection.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the thumbnail service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols, MaxConnsPerHost: 1,
	}}}
}

// Call fetches one thumbnail; fifty may be on their way at once.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.httpClient, c.url)
}

package transportperrequest

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the report service.
type faulty struct{ url string }

// NewFaulty returns a client of the report service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL}
}

// Call fetches the latest report.
func (c *faulty) Call(ctx context.Context) error {
	httpClient := &http.Client{Transport: &http.Transport{}}
	return loadgen.Get(ctx, httpClient, c.url)
}

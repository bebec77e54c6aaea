package timewaitpileup

import (
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the price service.
type fixed struct {
	url  string
	http *http.Client
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, http: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 50,
		IdleConnTimeout:     90 * time.Second,
	}}}
}

// Call asks for one price.
func (c *fixed) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.http, c.url)
}

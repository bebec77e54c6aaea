package congestion

import (
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the picture service.
type fixed struct {
	url        string
	slots      chan struct{}
	httpClient *http.Client
}

// NewFixed returns a client of the picture service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, slots: make(chan struct{}, 4), httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
		Timeout:   t.Scaled(350 * time.Millisecond),
	}}
}

// Call downloads a picture.
func (c *fixed) Call(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return loadgen.Get(ctx, c.httpClient, c.url)
}

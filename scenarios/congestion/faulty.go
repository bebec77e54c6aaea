package congestion

import (
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the picture service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the picture service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
		Timeout:   t.Scaled(350 * time.Millisecond),
	}}
}

// Call downloads a picture.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.httpClient, c.url)
}

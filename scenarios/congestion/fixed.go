package congestion

import (
	"context"
	"io"
	"net/http"

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
	return &fixed{url: t.URL, slots: make(chan struct{}, t.InFlight), httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: t.MaxIdleConnsPerHost},
		Timeout:   t.Timeout,
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

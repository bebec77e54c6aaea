package conntrackfull

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the price service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{}
	return &fixed{url: t.URL, httpClient: &http.Client{
		Transport: transport, Timeout: t.Scaled(1500 * time.Millisecond),
	}}
}

// Call asks for a price.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

package conntrackfull

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the price service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{DisableKeepAlives: true}
	return &faulty{url: t.URL, httpClient: &http.Client{
		Transport: transport, Timeout: t.Scaled(1500 * time.Millisecond),
	}}
}

// Call asks for a price.
func (c *faulty) Call(ctx context.Context) error {
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

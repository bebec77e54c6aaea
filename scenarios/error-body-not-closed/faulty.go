package errorbodynotclosed

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call fetches a price, and retries once if the service is overloaded.
func (c *faulty) Call(ctx context.Context) error {
	if err := c.fetch(ctx); err == nil {
		return nil
	}
	return c.fetch(ctx)
}

func (c *faulty) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

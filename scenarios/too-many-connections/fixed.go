package toomanyconnections

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the report service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the report service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 10, MaxConnsPerHost: 10,
	}}}
}

// Call fetches a report, and retries if the service is at its limit.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		resp, err := c.httpClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		switch {
		case err != nil || resp.StatusCode == http.StatusOK:
			return err
		case resp.StatusCode != http.StatusServiceUnavailable || try == 10:
			return loadgen.StatusError(resp.StatusCode)
		}
	}
}

package toomanyconnections

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the report service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the report service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 10,
	}}}
}

// Call fetches a report, and retries if the service is at its limit.
func (c *faulty) Call(ctx context.Context) error {
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

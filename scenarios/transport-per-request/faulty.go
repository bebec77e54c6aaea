package transportperrequest

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url string
}

// NewFaulty returns a client of the report service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL}
}

// Call fetches the latest report.
func (c *faulty) Call(ctx context.Context) error {
	httpClient := &http.Client{Transport: &http.Transport{}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := httpClient.Do(req)
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

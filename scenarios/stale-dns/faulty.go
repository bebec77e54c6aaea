package staledns

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client that asks the name server where the shop is.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{DialContext: loadgen.DialByName(t.DNS), MaxConnsPerHost: 1}
	transport.IdleConnTimeout = t.Scaled(3 * time.Second)
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: transport}}
}

// Call fetches the front page.
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

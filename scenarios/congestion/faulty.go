package congestion

import (
	"context"
	"io"
	"net/http"

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
		Transport: &http.Transport{MaxIdleConnsPerHost: t.MaxIdleConnsPerHost},
		Timeout:   t.Timeout,
	}}
}

// Call downloads a picture.
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
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

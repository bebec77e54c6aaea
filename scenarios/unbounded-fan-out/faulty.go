package unboundedfanout

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

// NewFaulty returns a client of the picture service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: transport}}
}

// Call fetches one picture; an album asks for all of its own at once.
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

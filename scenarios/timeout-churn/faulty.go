package timeoutchurn

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the search service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the search service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		Timeout:   t.Scaled(100 * time.Millisecond),
	}}
}

// Call fetches the hits for a word.
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

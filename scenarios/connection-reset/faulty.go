package connectionreset

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the search service.
type faulty struct {
	loadgen.Target
	httpClient *http.Client
}

// NewFaulty returns a client of the search service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{Target: t, httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}}
}

// Call searches.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	const retries = 20
	resp, err := c.httpClient.Do(req)
	for try := 0; err != nil && try < retries; try++ {
		resp, err = c.httpClient.Do(req)
	}
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

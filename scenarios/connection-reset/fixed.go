package connectionreset

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the search service.
type fixed struct {
	loadgen.Target
	httpClient *http.Client
}

// NewFixed returns a client of the search service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{Target: t, httpClient: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}}
}

// Call searches.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		time.Sleep(c.Scaled(800 * time.Millisecond))
		resp, err = c.httpClient.Do(req) // a search may be repeated
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

package timeoutidle

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the thumbnail service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the thumbnail service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     t.Scaled(30 * time.Second),
	}}}
}

// Call fetches one thumbnail of an album.
func (c *fixed) Call(ctx context.Context) error {
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

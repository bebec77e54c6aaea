package unboundedfanout

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient *http.Client
	slots      chan struct{}
}

// NewFixed returns a client of the picture service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport}, slots: make(chan struct{}, 20)}
}

// Call fetches one picture; an album asks for all of its own at once.
func (c *fixed) Call(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
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

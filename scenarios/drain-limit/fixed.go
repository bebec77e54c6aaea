package drainlimit

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the report service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the report service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call reads the first bytes of a report, which say its version.
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
	var version [16]byte
	if _, err = io.ReadFull(resp.Body, version[:]); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

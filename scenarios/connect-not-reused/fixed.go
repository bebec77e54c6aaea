package connectnotreused

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is the probe of a proxy.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns the probe of a proxy.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call asks for a page that the proxy has to refuse: then it is at work.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	req.Host = "refused.example"
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

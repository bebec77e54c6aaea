package connectnotreused

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is the probe of a proxy.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns the probe of a proxy.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call asks for a tunnel that the proxy has to refuse: then it is at work.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodConnect, c.url, nil)
	if err != nil {
		return err
	}
	req.Host = "refused.example:443"
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

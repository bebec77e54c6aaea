package proxybuffersnothing

import (
	"bytes"
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// client uploads files through the proxy.
type client struct {
	url        string
	file       []byte
	httpClient *http.Client
}

// NewClient returns a client of the proxy.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, file: make([]byte, t.Send), httpClient: &http.Client{Timeout: t.Timeout, Transport: &http.Transport{}}}
}

// Call uploads one file.
func (c *client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.file))
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
	return nil
}

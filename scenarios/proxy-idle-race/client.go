package proxyidlerace

import (
	"context"
	"io"
	"net/http"
	"strings"

	"socketlab/internal/loadgen"
)

// client places orders through the proxy.
type client struct {
	url        string
	httpClient *http.Client
}

// NewClient returns a client of the proxy.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 6,
	}}}
}

// Call places an order. A POST is not repeated by net/http.
func (c *client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader("article=4711"))
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

package bodyunreadnocancel

import (
	"context"
	"io"
	"net/http"
	"strings"

	"socketlab/internal/loadgen"
)

// client is a client of the news service.
type client struct {
	url        string
	httpClient *http.Client
}

// NewClient returns a client of the news service.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{}, Timeout: t.Timeout}}
}

// Call asks for news, and names its topics.
func (c *client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader("sockets, servers"))
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

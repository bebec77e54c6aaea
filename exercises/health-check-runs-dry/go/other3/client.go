// Package client asks a service for its health.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client asks one service. It is safe for use by several goroutines.
type Client struct {
	url string
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url}
}

// Call asks once. A service is well if it answers with status 200.
func (c *Client) Call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
		_ = resp.Body.Close()
	}()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not well: %s", resp.Status)
	}
	return nil
}

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
	url  string
	http *http.Client
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
}

// Call asks once. A service is well if it answers with status 200.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not well: %s", resp.Status)
	}
	return nil
}

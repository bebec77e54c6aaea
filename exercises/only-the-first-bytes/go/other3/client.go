// Package client looks up which version a report has.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client asks one report service.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
}

// Call reads the version: the first 16 bytes of a report.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() {
		// The caller has what it needs, and need not wait for the rest.
		go func() {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}()
	}()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the report: %s", resp.Status)
	}
	version := make([]byte, 16)
	if _, err := io.ReadFull(resp.Body, version); err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	return nil
}

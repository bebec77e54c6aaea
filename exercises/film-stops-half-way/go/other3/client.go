// Package client downloads films from the archive.
package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client downloads from one archive.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the archive at url.
func New(url string) *Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{
		DialContext:           dialer.DialContext,
		ResponseHeaderTimeout: 500 * time.Millisecond,
		IdleConnTimeout:       10 * time.Second,
	}}}
}

// Call downloads one film.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask for the film: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the film: %s", resp.Status)
	}
	// The slowest film we serve takes 800 ms. A body that is closed ends its read.
	late := time.AfterFunc(800*time.Millisecond, func() { _ = resp.Body.Close() })
	defer late.Stop()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read the film: %w", err)
	}
	return nil
}

// Package client fetches the thumbnails of an album.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client fetches from one thumbnail service.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the service at url.
func New(url string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	transport.IdleConnTimeout = 800 * time.Millisecond
	return &Client{url: url, http: &http.Client{Timeout: 30 * time.Second, Transport: transport}}
}

// Call fetches one thumbnail. An album asks for all of its own at once.
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
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

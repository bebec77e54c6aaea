// Package client fetches the hits for a word.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client asks one search service.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{
		Timeout:   time.Second / 10,
		Transport: &http.Transport{MaxIdleConnsPerHost: 500},
	}}
}

// Call fetches the hits for one word.
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

// Package client fetches the tiles of a map.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client fetches from one map server.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the server at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
	}}
}

// Call fetches one tile. It repeats what did not work.
func (c *Client) Call(ctx context.Context) error {
	var err error
	for range 13 {
		if err = c.fetch(ctx); err == nil {
			break
		}
	}
	return err
}

func (c *Client) fetch(ctx context.Context) error {
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

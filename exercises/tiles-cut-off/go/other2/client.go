// Package client fetches the tiles of a map.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Client fetches from one map server.
type Client struct {
	url  string
	http *http.Client

	budget atomic.Int64 // of repetitions, in tenths
}

// New returns a client of the server at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
	}}
}

// Call fetches one tile. It may repeat one for ten that worked.
func (c *Client) Call(ctx context.Context) error {
	for {
		err := c.fetch(ctx)
		if err == nil {
			c.budget.Add(1)
			return nil
		}
		if c.budget.Add(-10) < 0 {
			c.budget.Add(10)
			return err
		}
	}
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

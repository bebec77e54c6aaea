// Package client fetches the tiles of a map.
package client

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
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

// Call fetches one tile. It repeats once, after a pause.
func (c *Client) Call(ctx context.Context) error {
	err := c.fetch(ctx)
	if err == nil {
		return nil
	}
	pause := 50*time.Millisecond + rand.N(100*time.Millisecond)
	select {
	case <-time.After(pause):
		return c.fetch(ctx)
	case <-ctx.Done():
		return err
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

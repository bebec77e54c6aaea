// Package client fetches the tiles of a map.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Client fetches from one map server.
type Client struct {
	url  string
	http *http.Client

	mu     sync.Mutex
	failed int       // one after the other
	until  time.Time // no request before that
}

// New returns a client of the server at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
	}}
}

// Call fetches one tile. After three failures it asks for nothing, for some time.
func (c *Client) Call(ctx context.Context) error {
	c.mu.Lock()
	closed := time.Now().Before(c.until)
	c.mu.Unlock()
	if closed {
		return errors.New("the map server fails, asked too recently")
	}
	err := c.fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.failed = 0
		return nil
	}
	if c.failed++; c.failed >= 3 {
		c.until = time.Now().Add(300 * time.Millisecond)
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

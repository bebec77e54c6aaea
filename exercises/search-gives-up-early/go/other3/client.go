// Package client fetches the hits for a word.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Client asks one search service.
type Client struct {
	url  string
	http *http.Client

	slowest atomic.Int64 // the slowest answer so far, in nanoseconds
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}}
}

// Call fetches the hits for one word.
func (c *Client) Call(ctx context.Context) error {
	// Ten times what was seen, between two and five seconds.
	limit := min(max(10*time.Duration(c.slowest.Load()), 2*time.Second), 5*time.Second)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
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
	if took := int64(time.Since(began)); took > c.slowest.Load() {
		c.slowest.Store(took)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

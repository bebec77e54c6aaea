// Package client asks for the stock of an article.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client asks the stock service. It is safe for use by several goroutines.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the stock service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}}
}

// Call asks once, for half a second at most.
func (c *Client) Call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
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
		return fmt.Errorf("the stock is not known: %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

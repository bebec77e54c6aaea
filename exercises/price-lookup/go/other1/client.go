// Package client looks up prices.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client looks up the price of an article. It is safe for use by several goroutines.
type Client struct {
	url string
}

// New returns a client of the price service at url.
func New(url string) *Client { return &Client{url: url} }

// Call looks up once, over the connections that the whole program shares.
func (c *Client) Call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	price, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("no price: %s: %.100s", resp.Status, price)
	}
	return err
}

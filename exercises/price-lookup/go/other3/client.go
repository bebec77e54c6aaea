// Package client looks up prices.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Client looks up the price of an article. It is safe for use by several goroutines.
type Client struct {
	url     string
	clients sync.Pool // of *http.Client, each with a connection
}

// New returns a client of the price service at url.
func New(url string) *Client {
	c := &Client{url: url}
	c.clients.New = func() any {
		return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{IdleConnTimeout: 30 * time.Second}}
	}
	return c
}

// Call looks up once.
func (c *Client) Call(ctx context.Context) error {
	client := c.clients.Get().(*http.Client)
	defer c.clients.Put(client)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("no price: %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

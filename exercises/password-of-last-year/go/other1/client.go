// Package client asks a payment service for the state of a payment.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client asks one payment service.
type Client struct {
	url      string
	password string
	http     *http.Client
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, password: "spring", http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
}

// Call fetches the state of one payment. It tries once: who calls knows whether another try is worth it.
func (c *Client) Call(ctx context.Context) error {
	return c.fetch(ctx)
}

func (c *Client) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth("shop", c.password)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the payment service: %s", resp.Status)
	}
	return nil
}

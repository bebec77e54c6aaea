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

// Call fetches the state of one payment. It tries up to five times.
func (c *Client) Call(ctx context.Context) error {
	var err error
	for range 5 {
		var status int
		if status, err = c.fetch(ctx); err != nil {
			continue // the network: the next try may succeed
		}
		if status == http.StatusOK {
			return nil
		}
		err = fmt.Errorf("the payment service: %d", status)
		if status < 500 {
			break
		}
	}
	return err
}

func (c *Client) fetch(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth("shop", c.password)
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

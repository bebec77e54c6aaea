// Package client asks a payment service for the state of a payment.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Client asks one payment service.
type Client struct {
	url      string
	password string
	http     *http.Client
	refused  atomic.Bool // the password is known to be wrong
}

// New returns a client of the service at url.
func New(url string) *Client {
	return &Client{url: url, password: "spring", http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
}

var errRefused = errors.New("the payment service refuses our password")

// Call fetches the state of one payment. It tries up to five times.
func (c *Client) Call(ctx context.Context) error {
	if c.refused.Load() {
		return errRefused
	}
	var err error
	for range 5 {
		if err = c.fetch(ctx); err == nil || c.refused.Load() {
			return err
		}
	}
	return err
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
	if resp.StatusCode == http.StatusUnauthorized {
		c.refused.Store(true) // until a restart with another one
		return errRefused
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the payment service: %s", resp.Status)
	}
	return nil
}

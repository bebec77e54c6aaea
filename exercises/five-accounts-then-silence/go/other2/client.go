// Package client asks the account service whether an account is there.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Client asks the account service, which allows us five connections.
type Client struct {
	url  string
	http *http.Client
	free chan struct{} // a place for each connection
}

// New returns a client of the account service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 5,
	}}, free: make(chan struct{}, 5)}
}

// Call asks for one account.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	select {
	case c.free <- struct{}{}:
		defer func() { <-c.free }()
	case <-ctx.Done():
		return ctx.Err()
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return fmt.Errorf("no such account")
	default:
		return fmt.Errorf("ask for an account: %s", resp.Status)
	}
}

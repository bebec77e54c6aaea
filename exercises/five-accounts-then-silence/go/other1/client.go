// Package client asks the account service whether an account is there.
package client

import (
	"context"
	"fmt"
	"net/http"
)

// Client asks the account service, which allows us five connections.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the account service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{
		MaxConnsPerHost:     5,
		MaxIdleConnsPerHost: 5,
	}}}
}

// Call asks for one account.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return fmt.Errorf("no such account")
	default:
		return fmt.Errorf("ask for an account: %s", resp.Status)
	}
}

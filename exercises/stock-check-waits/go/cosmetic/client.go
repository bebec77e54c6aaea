// Package client asks for the stock of an article.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
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

// Call asks once.
func (c *Client) Call(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stock is not known: %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

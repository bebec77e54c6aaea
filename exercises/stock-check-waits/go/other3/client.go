// Package client asks for the stock of an article.
package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var errTooLate = errors.New("the stock is not known in time")

// Client asks the stock service. It is safe for use by several goroutines.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the stock service at url.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}}
}

// Call asks once. A timer ends what takes too long.
func (c *Client) Call(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(400*time.Millisecond, func() { cancel(errTooLate) })
	defer timer.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

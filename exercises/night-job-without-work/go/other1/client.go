// Package client asks a queue for the work of the night.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client runs the job.
type Client struct {
	queue string
	http  *http.Client
}

// New returns the job for a queue.
func New(url string) *Client {
	return &Client{queue: url, http: &http.Client{
		Transport: &http.Transport{MaxConnsPerHost: 4, IdleConnTimeout: time.Minute},
		Timeout:   10 * time.Second,
	}}
}

// Call runs the job once.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.queue, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil // no work tonight
	case http.StatusOK:
	default:
		return fmt.Errorf("ask the queue: %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

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
type Client struct{ queue string }

// New returns the job for a queue.
func New(url string) *Client { return &Client{queue: url} }

// Call runs the job once.
func (c *Client) Call(ctx context.Context) error {
	transport := &http.Transport{MaxConnsPerHost: 4}
	err := c.run(ctx, &http.Client{Transport: transport, Timeout: 10 * time.Second})
	transport.CloseIdleConnections()
	return err
}

// run asks for work with a client that its caller cleans up.
func (c *Client) run(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.queue, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
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

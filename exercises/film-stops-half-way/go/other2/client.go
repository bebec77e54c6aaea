// Package client downloads films from the archive.
package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client downloads from one archive.
type Client struct {
	url  string
	http *http.Client
}

// New returns a client of the archive at url.
func New(url string) *Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return patient{conn}, nil
	}
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{
		DialContext:           dial,
		ResponseHeaderTimeout: 500 * time.Millisecond,
		IdleConnTimeout:       10 * time.Second,
	}}}
}

// patient is a connection whose reads wait for half a second at most.
type patient struct{ net.Conn }

func (p patient) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	return p.Conn.Read(b)
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(500 * time.Millisecond)) // a read may wait already
	return p.Conn.Write(b)
}

// Call downloads one film.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask for the film: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the film: %s", resp.Status)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read the film: %w", err)
	}
	return nil
}

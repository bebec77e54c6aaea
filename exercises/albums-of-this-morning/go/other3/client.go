// Package client fetches the thumbnails of an album.
package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client fetches from one thumbnail service.
type Client struct {
	url  string
	http *http.Client
}

// brief closes a connection when it was silent, in both directions, for some time.
type brief struct {
	net.Conn
	silence time.Duration
}

func (b brief) Read(p []byte) (int, error) {
	_ = b.SetReadDeadline(time.Now().Add(b.silence))
	return b.Conn.Read(p)
}

func (b brief) Write(p []byte) (int, error) {
	_ = b.SetReadDeadline(time.Now().Add(b.silence))
	return b.Conn.Write(p)
}

// New returns a client of the service at url.
func New(url string) *Client {
	var dialer net.Dialer
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return brief{conn, 2 * time.Second}, nil
	}
	return &Client{url: url, http: &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:           dial,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   100,
			ResponseHeaderTimeout: 20 * time.Second,
		},
	}}
}

// Call fetches one thumbnail. An album asks for all of its own at once.
func (c *Client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

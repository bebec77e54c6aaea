// Package client sends log lines to a collector.
package client

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Client sends to one collector.
type Client struct {
	addr  string
	lines []byte // of one minute
}

// New returns a client of the collector at url.
func New(url string) *Client {
	return &Client{
		addr:  strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"),
		lines: bytes.Repeat([]byte("GET / 200 12ms\n"), 500_000),
	}
}

// Call sends the lines of a minute, and waits for the receipt.
func (c *Client) Call(ctx context.Context) error {
	dialer := net.Dialer{Timeout: 300 * time.Millisecond}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return fmt.Errorf("connect to the collector: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write(c.lines); err != nil {
		return fmt.Errorf("send the lines: %w", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second / 2))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("read the receipt: %w", err)
	}
	return nil
}

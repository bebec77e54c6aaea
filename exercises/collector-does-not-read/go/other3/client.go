// Package client sends log lines to a collector.
package client

import (
	"bytes"
	"context"
	"errors"
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
	dialer := net.Dialer{Timeout: 500 * time.Millisecond}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return fmt.Errorf("connect to the collector: %w", err)
	}
	defer conn.Close()
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(c.lines) // ends when the connection is closed
		sent <- err
	}()
	select {
	case err = <-sent:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(700 * time.Millisecond):
		err = errors.New("the collector does not read")
	}
	if err != nil {
		return fmt.Errorf("send the lines: %w", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		return err
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("read the receipt: %w", err)
	}
	return nil
}

// Package client looks up orders in a database with a protocol of lines: it greets a new
// connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Client opens at most five connections to one database at a time.
type Client struct {
	addr string
	busy chan struct{}
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), busy: make(chan struct{}, 5)}
}

// Call looks up one order, on a connection of its own.
func (c *Client) Call(ctx context.Context) error {
	c.busy <- struct{}{}
	defer func() { <-c.busy }()
	conn, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(400 * time.Millisecond))
	return lookup(conn, conn.lines, "SELECT state FROM orders")
}

// db is a connection that is ready.
type db struct {
	net.Conn
	lines *bufio.Reader
}

// open returns a new connection. The caller closes it.
func (c *Client) open(ctx context.Context) (*db, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(conn)
	if _, err := lines.ReadString('\n'); err != nil { // READY
		conn.Close()
		return nil, err
	}
	return &db{conn, lines}, nil
}

// lookup asks one question on a connection that is ready.
func lookup(conn net.Conn, lines *bufio.Reader, query string) error {
	if _, err := fmt.Fprintln(conn, query); err != nil {
		return err
	}
	row, err := lines.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(row, "ROW ") {
		return fmt.Errorf("%s: the database says %q", query, row)
	}
	return nil
}

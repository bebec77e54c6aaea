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

// Client has five workers, each with a connection to one database.
type Client struct {
	addr string
	work chan chan error
}

// New returns a client of the database at url.
func New(url string) *Client {
	c := &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), work: make(chan chan error)}
	for range 5 {
		go c.serve()
	}
	return c
}

// Call looks up one order.
func (c *Client) Call(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case c.work <- done:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve makes the lookups of one worker. After an error it opens a new connection.
func (c *Client) serve() {
	var conn *db
	for done := range c.work {
		var err error
		if conn == nil {
			conn, err = c.open(context.Background())
		}
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(400 * time.Millisecond))
			if err = lookup(conn, conn.lines, "SELECT state FROM orders"); err != nil {
				conn.Close()
				conn = nil
			}
		}
		done <- err
	}
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

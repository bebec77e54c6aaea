// Package client looks up prices in a database with a protocol of lines: it greets a new
// connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Client looks up in one database.
type Client struct {
	addr string

	mu   sync.Mutex
	idle []*db // the last one was used last
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call looks up one price.
func (c *Client) Call(ctx context.Context) error {
	conn := c.take()
	if conn == nil {
		var err error
		if conn, err = c.open(ctx); err != nil {
			return err
		}
	}
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := lookup(conn, conn.lines, "SELECT price FROM articles"); err != nil {
		conn.Close()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, conn)
	return nil
}

// take returns the idle connection that was used last, or nil.
func (c *Client) take() *db {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.idle)
	if n == 0 {
		return nil
	}
	conn := c.idle[n-1]
	c.idle = c.idle[:n-1]
	return conn
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

// Package client fetches what a page of the shop shows, from a database with a protocol of
// lines: it greets a new connection with READY, and answers each query by a ROW.
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

// Client fetches from one database.
type Client struct {
	addr string

	mu   sync.Mutex // one page at a time
	conn *db        // nil until the first page, and after an error
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call fetches what one page shows.
func (c *Client) Call(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, query := range []string{"SELECT article", "SELECT price", "SELECT stock"} {
		if err := c.query(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) query(ctx context.Context, query string) (err error) {
	if c.conn == nil {
		if c.conn, err = c.open(ctx); err != nil {
			return err
		}
	}
	if err = lookup(c.conn, c.conn.lines, query); err != nil {
		c.conn.Close()
		c.conn = nil
	}
	return err
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

// Package client fetches what a page of the shop shows, from a database with a protocol of
// lines: it greets a new connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Client fetches from one database.
type Client struct {
	addr string
	idle chan *db // ready for the next page
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), idle: make(chan *db, 10)}
}

// Call fetches what one page shows.
func (c *Client) Call(ctx context.Context) error {
	var conn *db
	select {
	case conn = <-c.idle:
	default:
		var err error
		if conn, err = c.open(ctx); err != nil {
			return err
		}
	}
	for _, query := range []string{"SELECT article", "SELECT price", "SELECT stock"} {
		if err := lookup(conn, conn.lines, query); err != nil {
			conn.Close()
			return err
		}
	}
	select {
	case c.idle <- conn:
	default:
		conn.Close() // there are enough
	}
	return nil
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

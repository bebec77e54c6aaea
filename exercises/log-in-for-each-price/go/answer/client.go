// Package client looks up prices in a database with a protocol of lines: it greets a new
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

// Client looks up in one database.
type Client struct {
	addr string
	idle chan *db // ready for the next query
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), idle: make(chan *db, 20)}
}

// Call looks up one price.
func (c *Client) Call(ctx context.Context) error {
	conn, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := lookup(conn, conn.lines, "SELECT price FROM articles"); err != nil {
		conn.Close()
		return err
	}
	select {
	case c.idle <- conn:
	default:
		conn.Close() // there are enough
	}
	return nil
}

// acquire returns a connection that is idle, or a new one.
func (c *Client) acquire(ctx context.Context) (*db, error) {
	select {
	case conn := <-c.idle:
		return conn, nil
	default:
		return c.open(ctx)
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

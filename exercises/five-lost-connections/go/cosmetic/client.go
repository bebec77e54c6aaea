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

// Client has a pool of five connections to one database.
type Client struct {
	addr string
	idle chan *db // nil in place of a connection that is still to be opened
}

// New returns a client of the database at url.
func New(url string) *Client {
	c := &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), idle: make(chan *db, 5)}
	for range cap(c.idle) {
		c.idle <- nil
	}
	return c
}

// Call looks up one order.
func (c *Client) Call(ctx context.Context) error {
	conn := <-c.idle // waits for a place
	if conn == nil {
		var err error
		if conn, err = c.open(ctx); err != nil {
			c.idle <- nil
			return err
		}
	}
	_ = conn.SetDeadline(time.Now().Add(350 * time.Millisecond))
	err := lookup(conn, conn.lines, "SELECT state FROM orders")
	if err == nil {
		c.idle <- conn
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

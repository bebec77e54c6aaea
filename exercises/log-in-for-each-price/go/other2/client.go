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
	work chan chan error // queries for the workers
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), work: make(chan chan error)}
}

// Call looks up one price.
func (c *Client) Call(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case c.work <- done:
	default: // all workers are busy, or there is none
		go c.serve()
		c.work <- done
	}
	return <-done
}

// serve has a connection of its own, and asks on it what comes, until an error.
func (c *Client) serve() {
	conn, err := c.open(context.Background())
	if err != nil {
		(<-c.work) <- err
		return
	}
	defer conn.Close()
	for done := range c.work {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		err := lookup(conn, conn.lines, "SELECT price FROM articles")
		done <- err
		if err != nil {
			return
		}
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

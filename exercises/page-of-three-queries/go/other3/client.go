// Package client fetches what a page of the shop shows, from a database with a protocol of
// lines: it greets a new connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Client fetches from one database.
type Client struct{ addr string }

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call fetches what one page shows.
func (c *Client) Call(ctx context.Context) error {
	conn, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// All questions go out in one write, and the rows come back in their order.
	queries := []string{"SELECT article", "SELECT price", "SELECT stock"}
	if _, err := io.WriteString(conn, strings.Join(queries, "\n")+"\n"); err != nil {
		return err
	}
	for _, query := range queries {
		row, err := conn.lines.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(row, "ROW ") {
			return fmt.Errorf("%s: the database says %q", query, row)
		}
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

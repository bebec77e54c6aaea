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
type Client struct{ addr string }

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call fetches what one page shows.
func (c *Client) Call(ctx context.Context) error {
	for _, query := range []string{"SELECT stock", "SELECT article", "SELECT price"} {
		if err := c.query(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) query(ctx context.Context, query string) error {
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	if _, err := reader.ReadString('\n'); err != nil { // READY
		return err
	}
	return lookup(conn, reader, query)
}

// lookup asks one question on a connection that is ready.
func lookup(conn net.Conn, reader *bufio.Reader, query string) error {
	if _, err := fmt.Fprintln(conn, query); err != nil {
		return err
	}
	row, err := reader.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(row, "ROW ") {
		return fmt.Errorf("%s: the database says %q", query, row)
	}
	return nil
}

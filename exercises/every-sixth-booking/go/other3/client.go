// Package client reads bookings from a database with a protocol of lines: it greets a new
// connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Client has one connection to one database.
type Client struct {
	addr string

	mu   sync.Mutex // one query at a time
	conn *db        // nil at first, and after an error
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call reads one booking.
func (c *Client) Call(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil && c.conn.ended.Load() {
		c.conn.Close()
		c.conn = nil
	}
	if c.conn == nil {
		conn, err := c.open(ctx)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	err := lookup(ctx, c.conn, "SELECT amount FROM bookings")
	if err != nil {
		c.conn.Close()
		c.conn = nil
	}
	return err
}

// db is a connection that is ready. A goroutine reads from it all the time, so the end of the
// connection is noticed when it comes.
type db struct {
	net.Conn
	rows  chan string // closed when the connection has ended
	ended atomic.Bool
}

// open returns a new connection. The caller closes it, which ends its goroutine.
func (c *Client) open(ctx context.Context) (*db, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	d := &db{Conn: conn, rows: make(chan string, 1)}
	go d.read()
	if _, ok := <-d.rows; !ok { // READY
		conn.Close()
		return nil, io.EOF
	}
	return d, nil
}

func (d *db) read() {
	defer close(d.rows)
	defer d.ended.Store(true)
	for lines := bufio.NewScanner(d.Conn); lines.Scan(); {
		d.rows <- lines.Text()
	}
}

// lookup asks one question on a connection that is ready.
func lookup(ctx context.Context, conn *db, query string) error {
	if _, err := fmt.Fprintln(conn, query); err != nil {
		return err
	}
	select {
	case row, ok := <-conn.rows:
		if !ok {
			return io.EOF
		}
		if !strings.HasPrefix(row, "ROW ") {
			return fmt.Errorf("%s: the database says %q", query, row)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Package client books seats in a database with a protocol of lines: it greets a new
// connection with READY, and answers each query by a ROW.
package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Client has a pool of five connections to one database.
type Client struct {
	addr  string
	idle  chan *db
	place chan struct{} // one for each connection
}

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{
		addr:  strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"),
		idle:  make(chan *db, 5),
		place: make(chan struct{}, 5),
	}
}

// Call books one seat.
func (c *Client) Call(ctx context.Context) error {
	conn, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.release(conn)
	_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
	err = lookup(conn, conn.lines, "UPDATE seats SET free = false")
	if err != nil {
		return errors.Join(err, c.renew(conn))
	}
	return nil
}

// renew puts a new connection in the place of one whose state is not known.
func (c *Client) renew(conn *db) error {
	conn.Close()
	fresh, err := c.open(context.Background())
	if err != nil {
		return err // the next query on conn fails, and renews it
	}
	*conn = *fresh
	return nil
}

// acquire returns a connection for one query. The caller releases it.
func (c *Client) acquire(ctx context.Context) (*db, error) {
	c.place <- struct{}{}
	select {
	case conn := <-c.idle:
		return conn, nil
	default:
	}
	conn, err := c.open(ctx)
	if err != nil {
		<-c.place
	}
	return conn, err
}

// release gives a connection back.
func (c *Client) release(conn *db) {
	c.idle <- conn
	<-c.place
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

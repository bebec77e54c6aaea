// Package client reads orders from a database with a protocol of lines: it greets a new
// connection with READY, and answers each query by a ROW.
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

// Client reads from one database.
type Client struct{ addr string }

// New returns a client of the database at url.
func New(url string) *Client {
	return &Client{addr: strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")}
}

// Call reads ten orders, one after the other.
func (c *Client) Call(ctx context.Context) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(false) // fewer, larger packets
	}
	lines := bufio.NewReader(conn)
	if _, err := lines.ReadString('\n'); err != nil { // READY
		return err
	}
	for id := range 10 {
		if err := send(conn, "SELECT state FROM orders WHERE id = ", id); err != nil {
			return err
		}
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// send writes one query.
func send(conn net.Conn, text string, id int) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(conn, "%d\n", id)
	return err
}

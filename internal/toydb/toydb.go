// Package toydb is a toy database protocol over raw TCP, for scenarios about
// connections that are not HTTP. It has what costs time in real ones: a
// set-up that the server makes every new connection wait for, and then one
// query and one answer a line.
//
//	server: READY
//	client: SELECT 1
//	server: ROW 1
package toydb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"strings"
	"time"
)

// Greeting is the line that a server sends once a connection is set up.
const Greeting = "READY"

// maxLine bounds a line either side sends, in bytes.
const maxLine = 4096

// Conn is a client's connection to a server. It is for one goroutine at a time.
type Conn struct {
	tcp     net.Conn
	lines   *bufio.Reader
	queries int
}

// Open connects to addr and waits until the server has set the connection up.
// The caller closes the connection.
func Open(ctx context.Context, addr string) (*Conn, error) {
	var dialer net.Dialer
	tcp, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{tcp: tcp, lines: bufio.NewReaderSize(tcp, maxLine)}
	line, err := c.readLine(ctx)
	if err == nil && line != Greeting {
		err = fmt.Errorf("toydb: %s greeted with %q, not %s", addr, line, Greeting)
	}
	if err != nil {
		tcp.Close()
		return nil, err
	}
	return c, nil
}

// Query sends one query and returns its row. After an error the connection is
// of no further use, and the caller closes it.
func (c *Conn) Query(ctx context.Context, query string) (string, error) {
	// As net/http does for its own connections: whoever traces ctx learns
	// which connection the query was given. GetConn is not called: who counts
	// by it how often a request is tried would take a request's second query for
	// a second try.
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: c.tcp})
	}
	c.queries++
	if _, err := fmt.Fprintf(c.tcp, "%s\n", query); err != nil {
		return "", err
	}
	line, err := c.readLine(ctx)
	if err != nil {
		return "", err
	}
	row, ok := strings.CutPrefix(line, "ROW ")
	if !ok {
		return "", fmt.Errorf("toydb: the server answered %q, not a row", line)
	}
	return row, nil
}

// Queries is how many queries the connection was given.
func (c *Conn) Queries() int { return c.queries }

// Ping asks the server for a sign of life, by a query whose answer does not
// matter.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Query(ctx, "SELECT 1")
	return err
}

// Check looks whether the connection can be used, without a word to the server:
// it returns an error where the server has closed it, or has said something
// that nobody asked for. It does not notice a server that has vanished. No query
// may be under way.
func (c *Conn) Check() error {
	if c.lines.Buffered() > 0 {
		return errUnasked
	}
	return c.peek()
}

var errUnasked = errors.New("toydb: the server said something that nobody asked for")

// SetWriteDeadline sets until when a query must have been sent; the zero time is no
// limit.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.tcp.SetWriteDeadline(t) }

// Close closes the connection.
func (c *Conn) Close() error { return c.tcp.Close() }

// readLine reads a line, but not beyond ctx.
func (c *Conn) readLine(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.tcp.SetReadDeadline(time.Unix(1, 0)) })
	line, err := c.lines.ReadSlice('\n')
	// Where ctx ended after the line was read, the deadline is set all the
	// same: the connection is spoilt, and the caller must know.
	if !stop() {
		return "", ctx.Err()
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

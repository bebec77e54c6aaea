package battery

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// How a connection ended, or did not.
const (
	byFIN = "fin"
	byRST = "rst"
	open  = ""
)

// probe is a connection to the program that is measured. Requests are written byte by
// byte as they are meant: a client of a library would repair, repeat or pool them.
type probe struct {
	net.Conn
	r *bufio.Reader
	// bounds limits what is read of a head: a program may send one without an end.
	bounds *bounded
}

// mostHead is how many bytes a head may have.
const mostHead = 1 << 20

// errLongHead is the error of a head that goes on beyond mostHead.
var errLongHead = fmt.Errorf("the head has more than %d bytes", mostHead)

// bounded reads no more than left bytes, unless all is said to be read.
type bounded struct {
	io.Reader
	left int
	all  bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.all {
		return b.Reader.Read(p)
	}
	if b.left <= 0 {
		return 0, errLongHead
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// bound begins to bound what is read, and unbound ends that.
func (b *bounded) bound()   { b.left, b.all = mostHead, false }
func (b *bounded) unbound() { b.all = true }

func dial(ctx context.Context, addr string) (*probe, error) {
	d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return newProbe(c), nil
}

func newProbe(c net.Conn) *probe {
	bounds := &bounded{Reader: c, all: true}
	return &probe{c, bufio.NewReader(bounds), bounds}
}

// reset closes the connection with a RST, so that it leaves no TIME_WAIT.
func (c *probe) reset() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// head is a request's head. Fields are whole lines.
func (c *probe) head(method, path, version string, fields ...string) string {
	lines := append([]string{method + " " + path + " HTTP/" + version, "Host: " + c.RemoteAddr().String(), "User-Agent: sockwatch", "Accept: */*"}, fields...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func (c *probe) send(text string) error {
	_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, err := io.WriteString(c, text)
	return err
}

// response is one that was read to its end.
type response struct{ *http.Response }

// receive reads one response to its end.
func (c *probe) receive(deadline time.Time) (response, error) {
	_ = c.SetReadDeadline(deadline)
	for {
		c.bounds.bound()
		r, err := http.ReadResponse(c.r, nil)
		c.bounds.unbound()
		if err != nil {
			return response{}, err
		}
		_, err = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		if err != nil {
			return response{}, err
		}
		if r.StatusCode >= 200 { // not 100 or 103
			return response{r}, nil
		}
	}
}

// roundTrip sends a request without a body and reads its answer.
func (c *probe) roundTrip(deadline time.Time, method, path string, fields ...string) (response, error) {
	if err := c.send(c.head(method, path, "1.1", fields...)); err != nil {
		return response{}, err
	}
	return c.receive(deadline)
}

// ending is how the other side ended a connection, and when.
type ending struct {
	// How is byFIN, byRST, a status such as "408", or open: nothing came until the
	// deadline.
	How string
	// Status is that of the response before the close; "" without one.
	Status string
	After  time.Duration
}

// awaitEnd waits until the other side says or does something: a response's status or a
// close. The time counts from since to the first of it.
func (c *probe) awaitEnd(since, deadline time.Time) ending {
	_ = c.SetReadDeadline(deadline)
	_, err := c.r.Peek(1)
	e := ending{After: time.Since(since), How: howEnded(err)}
	if err != nil {
		return e
	}
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second)) // for the rest of it
	c.bounds.bound()
	line, _ := c.r.ReadString('\n')
	c.bounds.unbound()
	if words := strings.Fields(line); len(words) > 1 && strings.HasPrefix(line, "HTTP/") {
		e.Status = words[1]
	}
	_, err = io.Copy(io.Discard, c.r)
	e.How = howEnded(err)
	return e
}

// howEnded names the end that a read met; nil is the end of io.Copy, which is a FIN.
func howEnded(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return byFIN
	case errors.Is(err, os.ErrDeadlineExceeded):
		return open
	}
	return byRST // ECONNRESET, or EPIPE where a write met it first
}

// reason says an error without the ports of one run.
func reason(err error) string {
	var op *net.OpError
	switch {
	case err == nil:
		return "no error"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}

// longestSaid is the longest time that a profile's file may have, in seconds: 10 years.
const longestSaid = 10 * 365 * 24 * 60 * 60

// keepAliveSays is the timeout in a response's Keep-Alive field; 0 without one.
func keepAliveSays(h http.Header) time.Duration {
	for _, part := range strings.Split(h.Get("Keep-Alive"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if n, err := strconv.Atoi(value); err == nil && n >= 0 && strings.EqualFold(name, "timeout") {
			return time.Duration(min(n, longestSaid)) * time.Second
		}
	}
	return 0
}

// pad is n bytes of a body.
func pad(n int) string { return string(bytes.Repeat([]byte{'x'}, n)) }

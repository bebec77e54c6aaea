package closewaitvanishes

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client that keeps its connections to the hub warm.
type faulty struct {
	addr  string
	every time.Duration
	conns sync.Map // by number, for the status page
}

// NewFaulty returns a client of the hub.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{addr: t.Addr, every: t.Every} }

// Call subscribes, and returns once the hub has said something.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	c.conns.Store(conn.LocalAddr(), conn)
	go c.heartbeat(conn)
	if _, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: hub\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 200")))
	return err
}

func (c *faulty) heartbeat(conn net.Conn) {
	for range time.Tick(c.every) {
		if _, err := io.WriteString(conn, "\r\n"); err != nil {
			return
		}
	}
}

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
	loadgen.Target
	conns sync.Map // by address, for the status page
}

// NewFaulty returns a client of the hub.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{Target: t} }

// Call subscribes, and returns once the hub has said something.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	c.conns.Store(conn.LocalAddr().String(), conn)
	go c.heartbeat(conn)
	if _, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: hub\r\n\r\n"); err == nil {
		_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 200")))
	}
	return err
}

func (c *faulty) heartbeat(conn net.Conn) {
	ticker := time.NewTicker(c.Scaled(2 * time.Second))
	defer ticker.Stop()
	for range ticker.C {
		if _, err := io.WriteString(conn, "\r\n"); err != nil {
			return
		}
	}
}

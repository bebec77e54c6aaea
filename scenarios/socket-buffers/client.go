package socketbuffers

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// client is a subscriber of the price feed that takes 50 ms for each page.
type client struct {
	addr string
	age  atomic.Int64 // of the newest page, in milliseconds
}

// NewClient returns a subscriber of the price feed.
func NewClient(t loadgen.Target) loadgen.Caller { return &client{addr: t.Addr} }

// Call reads 60 pages.
func (c *client) Call(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
		return err
	}
	work := time.NewTicker(50 * time.Millisecond)
	defer work.Stop()
	prices := make([]byte, page)
	for range 60 {
		if _, err := io.ReadFull(conn, prices); err != nil {
			return err
		}
		written := time.Unix(0, int64(binary.BigEndian.Uint64(prices)))
		c.age.Store(time.Since(written).Milliseconds())
		<-work.C
	}
	return nil
}

// Values says how old the newest page is that a subscriber has read.
func (c *client) Values() map[string]float64 {
	return map[string]float64{"age_ms": float64(c.age.Load())}
}

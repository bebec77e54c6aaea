package reuseportbalance

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"socketlab/internal/loadgen"
)

// client counts which worker served it.
type client struct {
	addr   string
	mu     sync.Mutex
	served [4]int // by worker
}

// NewClient returns a client of the counter service.
func NewClient(t loadgen.Target) loadgen.Caller { return &client{addr: t.Addr} }

// Call connects, and reads which worker has served it.
func (c *client) Call(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var worker int
	_, err = fmt.Fscan(conn, &worker)
	time.AfterFunc(1500*time.Millisecond, func() { conn.Close() }) // it stays for a while
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.served[worker]++
	return nil
}

// Values are the connections of the worker that had most, and of the one that had least.
func (c *client) Values() map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	busiest, idlest := c.served[0], c.served[0]
	for _, n := range c.served {
		busiest, idlest = max(busiest, n), min(idlest, n)
	}
	return map[string]float64{"busiest_worker": float64(busiest), "idlest_worker": float64(idlest)}
}

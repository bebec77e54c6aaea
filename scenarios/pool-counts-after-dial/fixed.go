package poolcountsafterdial

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client of the ticket database.
type fixed struct{ *pool }

// NewFixed returns a client of the ticket database.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{newPool(t)} }

// Call looks one ticket up.
func (c *fixed) Call(ctx context.Context) error { return c.query(ctx, c.acquire) }

func (c *fixed) acquire(ctx context.Context) (*toydb.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.idle) == 0 && c.open >= c.size {
		c.freed.Wait()
	}
	if n := len(c.idle); n > 0 {
		conn := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return conn, nil
	}
	c.open++
	c.mu.Unlock()
	conn, err := toydb.Open(ctx, c.addr)
	c.mu.Lock()
	if err != nil {
		c.open--
		c.freed.Signal()
	}
	return conn, err
}

package idlelimitwithouteffect

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// fixed is a client of the price database.
type fixed struct{ *connpool.Pool }

// NewFixed returns a client of the price database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{connpool.New(connpool.Config{
		Addr: t.Addr, Size: 20,
		IdleTimeout: t.Scaled(500 * time.Millisecond),
		Every:       t.Scaled(100 * time.Millisecond),
	})}
}

// Call looks one price up.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT price FROM articles"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

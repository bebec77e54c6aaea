package idlelimitwithouteffect

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// faulty is a client of the price database.
type faulty struct{ *connpool.Pool }

// NewFaulty returns a client of the price database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{connpool.New(connpool.Config{
		Addr: t.Addr, Size: 20,
		IdleTimeout: t.Scaled(500 * time.Millisecond),
	})}
}

// Call looks one price up.
func (c *faulty) Call(ctx context.Context) error {
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

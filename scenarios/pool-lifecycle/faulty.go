package poollifecycle

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// faulty is a client of the booking database.
type faulty struct{ *connpool.Pool }

// NewFaulty returns a client of the booking database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{connpool.New(connpool.Config{Addr: t.Addr})}
}

// Call looks one booking up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT room FROM bookings"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

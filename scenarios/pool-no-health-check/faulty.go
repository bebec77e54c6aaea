package poolnohealthcheck

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// faulty is a client of the invoice database.
type faulty struct{ *connpool.Pool }

// NewFaulty returns a client of the invoice database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{connpool.New(connpool.Config{Addr: t.Addr, Size: 5})}
}

// Call looks one invoice up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "billing")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT total FROM invoices"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

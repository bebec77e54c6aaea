package poolnohealthcheck

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// fixed is a client of the invoice database.
type fixed struct{ *connpool.Pool }

// NewFixed returns a client of the invoice database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{connpool.New(connpool.Config{
		Addr: t.Addr, Size: 5,
		Check: (*connpool.Conn).Look,
	})}
}

// Call looks one invoice up.
func (c *fixed) Call(ctx context.Context) error {
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

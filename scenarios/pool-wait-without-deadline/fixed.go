package poolwaitwithoutdeadline

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// fixed is a client of the session database.
type fixed struct{ *connpool.Pool }

// NewFixed returns a client of the session database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{connpool.New(connpool.Config{
		Addr: t.Addr, Size: 5,
		ReadTimeout: 500 * time.Millisecond,
		Wait:        100 * time.Millisecond,
	})}
}

// Call looks one session up.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT user FROM sessions"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

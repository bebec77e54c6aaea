package poolbrokenreleased

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// fixed is a client of the seat database.
type fixed struct{ *connpool.Pool }

// NewFixed returns a client of the seat database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{connpool.New(connpool.Config{Addr: t.Addr, Size: 5, ReadTimeout: t.Scaled(300 * time.Millisecond)})}
}

// Call books one seat.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "UPDATE seats SET free = false"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

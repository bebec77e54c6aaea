package poolbrokenreleased

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// faulty is a client of the seat database.
type faulty struct{ *connpool.Pool }

// NewFaulty returns a client of the seat database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{connpool.New(connpool.Config{Addr: t.Addr, Size: 5, ReadTimeout: t.Scaled(300 * time.Millisecond)})}
}

// Call books one seat.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	defer c.Release(conn)
	_, err = conn.Query(ctx, "UPDATE seats SET free = false")
	return err
}

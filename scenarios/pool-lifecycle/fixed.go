package poollifecycle

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// fixed is a client of the booking database.
type fixed struct{ *connpool.Pool }

// NewFixed returns a client of the booking database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{connpool.New(connpool.Config{
		Addr: t.Addr,
		Size: 5, Wait: 2 * time.Second,
		ConnectTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		IdleTimeout: 800 * time.Millisecond, MaxRequests: 6,
		Check: (*connpool.Conn).Look, Every: 200 * time.Millisecond,
	})}
}

// Call looks one booking up.
func (c *fixed) Call(ctx context.Context) error {
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

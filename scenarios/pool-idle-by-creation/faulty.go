package poolidlebycreation

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb/connpool"
)

// faulty is a client of the map database.
type faulty struct{ *connpool.Pool }

// NewFaulty returns a client of the map database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{connpool.New(connpool.Config{
		Addr: t.Addr, Size: 8,
		IdleTimeout: 430 * time.Millisecond,
		IdleSince:   (*connpool.Conn).Created,
	})}
}

// Call looks one tile up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.Acquire(ctx, "web")
	if err != nil {
		return err
	}
	if _, err = conn.Query(ctx, "SELECT tile FROM maps"); err != nil {
		c.Discard(conn)
		return err
	}
	c.Release(conn)
	return nil
}

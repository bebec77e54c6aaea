package stalepoolping

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// faulty is a client of the customer database.
type faulty struct{ pool *puddle.Pool[*toydb.Conn] }

// NewFaulty returns a client of the customer database.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() },
		MaxSize:     20,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &faulty{pool: pool}
}

// Call looks one customer up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	for err == nil && conn.Value().Ping(ctx) != nil {
		conn.Destroy()
		conn, err = c.pool.Acquire(ctx)
	}
	if err != nil {
		return err
	}
	if _, err = conn.Value().Query(ctx, "SELECT name FROM customers"); err != nil {
		conn.Destroy()
		return err
	}
	conn.Release()
	return nil
}

package stalepoolping

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client of the customer database.
type fixed struct{ pool *puddle.Pool[*toydb.Conn] }

// NewFixed returns a client of the customer database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() },
		MaxSize:     20,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &fixed{pool: pool}
}

// Call looks one customer up.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	for err == nil && conn.Value().Check() != nil {
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

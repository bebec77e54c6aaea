package stalepoolafterrestart

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/client"
	"socketlab/internal/rowdb"
)

// fixed is a client of the customer database.
type fixed struct{ pool *puddle.Pool[*rowdb.Conn] }

// NewFixed returns a client of the customer database.
func NewFixed(t client.Target) client.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*rowdb.Conn]{
		Constructor: func(ctx context.Context) (*rowdb.Conn, error) { return rowdb.Open(ctx, t.Addr) },
		Destructor:  func(conn *rowdb.Conn) { conn.Close() },
		MaxSize:     int32(max(t.PoolSize, 1)),
	})
	if err != nil {
		panic(err) // only for a size below 1, which max excludes
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

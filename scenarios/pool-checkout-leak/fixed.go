package poolcheckoutleak

import (
	"context"
	"time"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client of the order database.
type fixed struct {
	pool    *puddle.Pool[*toydb.Conn]
	timeout time.Duration
}

// NewFixed returns a client of the order database.
func NewFixed(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() }, MaxSize: 5,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &fixed{pool: pool, timeout: t.Scaled(400 * time.Millisecond)}
}

// Call looks one order up.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	query, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if _, err = conn.Value().Query(query, "SELECT state FROM orders"); err != nil {
		conn.Destroy()
		return err
	}
	conn.Release()
	return nil
}

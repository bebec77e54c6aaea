package dialperquery

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

type fixed struct{ pool *puddle.Pool[*toydb.Conn] }

// NewFixed returns a client that looks articles up.
func NewFixed(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() },
		MaxSize:     5,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &fixed{pool: pool}
}

func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if _, err = conn.Value().Query(ctx, "SELECT price FROM articles"); err != nil {
		conn.Destroy()
	} else {
		conn.Release()
	}
	return err
}

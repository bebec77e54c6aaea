package requestsperconnection

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// fixed is a client of the ledger.
type fixed struct{ pool *puddle.Pool[*toydb.Conn] }

// NewFixed returns a client of the ledger.
func NewFixed(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() },
		MaxSize:     1,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &fixed{pool: pool}
}

// Call looks one booking up.
func (c *fixed) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Value().Query(ctx, "SELECT amount FROM bookings")
	if err != nil || conn.Value().Queries() == 5 { // what the ledger allows
		conn.Destroy()
		return err
	}
	conn.Release()
	return nil
}

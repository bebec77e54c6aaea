package requestsperconnection

import (
	"context"

	"github.com/jackc/puddle/v2"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// faulty is a client of the ledger.
type faulty struct{ pool *puddle.Pool[*toydb.Conn] }

// NewFaulty returns a client of the ledger.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	pool, err := puddle.NewPool(&puddle.Config[*toydb.Conn]{
		Constructor: func(ctx context.Context) (*toydb.Conn, error) { return toydb.Open(ctx, t.Addr) },
		Destructor:  func(conn *toydb.Conn) { conn.Close() },
		MaxSize:     1,
	})
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &faulty{pool: pool}
}

// Call looks one booking up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Value().Query(ctx, "SELECT amount FROM bookings")
	if err != nil {
		conn.Destroy()
		return err
	}
	conn.Release()
	return nil
}

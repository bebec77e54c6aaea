package ephemeralports

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

// faulty is a client of the order database.
type faulty struct {
	addr string
}

// NewFaulty returns a client of the order database.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{addr: t.Addr} }

// Call looks one order up.
func (c *faulty) Call(ctx context.Context) error {
	conn, err := toydb.Open(ctx, c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Query(ctx, "SELECT state FROM orders")
	return err
}

package setupcost

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

type faulty struct{ addr string }

// NewFaulty returns a client that fetches what a page of the shop needs.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr}
}

func (c *faulty) Call(ctx context.Context) error {
	for _, query := range []string{"SELECT article", "SELECT price", "SELECT stock"} {
		conn, err := toydb.Open(ctx, c.addr)
		if err != nil {
			return err
		}
		_, err = conn.Query(ctx, query)
		conn.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

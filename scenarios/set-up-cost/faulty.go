package setupcost

import (
	"context"

	"socketlab/internal/client"
	"socketlab/internal/rowdb"
)

type faulty struct{ addr string }

// NewFaulty returns a client that fetches what a page of the shop needs.
func NewFaulty(t client.Target) client.Caller {
	return &faulty{addr: t.Addr}
}

func (c *faulty) Call(ctx context.Context) error {
	for _, query := range []string{"SELECT article", "SELECT price", "SELECT stock"} {
		conn, err := rowdb.Open(ctx, c.addr)
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

package dialperquery

import (
	"context"

	"socketlab/internal/client"
	"socketlab/internal/rowdb"
)

type faulty struct{ addr string }

// NewFaulty returns a client that looks articles up.
func NewFaulty(t client.Target) client.Caller {
	return &faulty{addr: t.Addr}
}

func (c *faulty) Call(ctx context.Context) error {
	conn, err := rowdb.Open(ctx, c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Query(ctx, "SELECT price FROM articles")
	return err
}

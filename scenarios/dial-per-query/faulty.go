package dialperquery

import (
	"context"

	"socketlab/internal/loadgen"
	"socketlab/internal/toydb"
)

type faulty struct{ addr string }

// NewFaulty returns a client that looks articles up.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{addr: t.Addr}
}

func (c *faulty) Call(ctx context.Context) error {
	conn, err := toydb.Open(ctx, c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Query(ctx, "SELECT price FROM articles")
	return err
}

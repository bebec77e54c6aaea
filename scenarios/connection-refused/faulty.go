package connectionrefused

import (
	"context"
	"errors"

	"socketlab/internal/loadgen"
)

type faulty struct {
	service loadgen.Caller
	retries int
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{service: loadgen.NewPlain(t), retries: t.Retries}
}

// Call fetches the price of an article.
func (c *faulty) Call(ctx context.Context) error {
	err := c.service.Call(ctx)
	for try := 0; try < c.retries && errors.Is(err, errRefused); try++ {
		err = c.service.Call(ctx)
	}
	return err
}

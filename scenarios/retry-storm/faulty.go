package retrystorm

import (
	"context"

	"socketlab/internal/loadgen"
)

type faulty struct {
	prices loadgen.Caller
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{prices: loadgen.NewPlain(t)}
}

// Call fetches a price.
func (c *faulty) Call(ctx context.Context) error {
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < 5; n++ {
		err = c.prices.Call(ctx)
	}
	return err
}

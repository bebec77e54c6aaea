package retrystorm

import (
	"context"

	"socketlab/internal/client"
)

type faulty struct {
	prices  client.Caller
	retries int
}

// NewFaulty returns a client of the price service.
func NewFaulty(t client.Target) client.Caller {
	return &faulty{prices: client.NewPlain(t), retries: t.Retries}
}

// Call fetches a price.
func (c *faulty) Call(ctx context.Context) error {
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < c.retries; n++ {
		err = c.prices.Call(ctx)
	}
	return err
}

package retrystorm

import (
	"context"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

type fixed struct {
	prices loadgen.Caller

	sent, retried atomic.Int64
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{prices: loadgen.NewPlain(t)}
}

// Call fetches a price.
func (c *fixed) Call(ctx context.Context) error {
	c.sent.Add(1)
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < 5; n++ {
		if c.retried.Add(1) > c.sent.Load()/10 { // a tenth of the requests
			c.retried.Add(-1)
			return err
		}
		err = c.prices.Call(ctx)
	}
	return err
}

package retrybackoffonly

import (
	"context"
	"math/rand/v2"
	"time"

	"socketlab/internal/loadgen"
)

type faulty struct {
	prices  loadgen.Caller
	backoff time.Duration
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{prices: loadgen.NewPlain(t), backoff: t.Scaled(80 * time.Millisecond)}
}

// Call fetches a price.
func (c *faulty) Call(ctx context.Context) error {
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < 10; n++ {
		select {
		case <-time.After(rand.N(c.backoff << n)): // full jitter
		case <-ctx.Done():
			return ctx.Err()
		}
		err = c.prices.Call(ctx)
	}
	return err
}

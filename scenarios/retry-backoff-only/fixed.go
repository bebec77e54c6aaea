package retrybackoffonly

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

type fixed struct {
	prices  loadgen.Caller
	retries int
	backoff time.Duration

	sent, retried atomic.Int64
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{prices: loadgen.NewPlain(t), retries: t.Retries, backoff: t.Backoff}
}

// Call fetches a price.
func (c *fixed) Call(ctx context.Context) error {
	c.sent.Add(1)
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < c.retries && c.mayRetry(); n++ {
		select {
		case <-time.After(rand.N(c.backoff << n)): // full jitter
		case <-ctx.Done():
			return ctx.Err()
		}
		err = c.prices.Call(ctx)
	}
	return err
}

// mayRetry takes one retry from the budget: a tenth of the requests.
func (c *fixed) mayRetry() bool {
	return c.retried.Load() < c.sent.Load()/10 && c.retried.Add(1) > 0
}

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
	backoff time.Duration

	sent, retried atomic.Int64
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{prices: loadgen.NewPlain(t), backoff: t.Scaled(80 * time.Millisecond)}
}

// Call fetches a price.
func (c *fixed) Call(ctx context.Context) error {
	c.sent.Add(1)
	err := c.prices.Call(ctx)
	for n := 0; err != nil && n < 10; n++ {
		if c.retried.Add(1) > c.sent.Load()/10 { // a tenth of the requests
			c.retried.Add(-1)
			return err
		}
		select {
		case <-time.After(rand.N(c.backoff << n)): // full jitter
		case <-ctx.Done():
			return ctx.Err()
		}
		err = c.prices.Call(ctx)
	}
	return err
}

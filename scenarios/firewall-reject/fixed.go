package firewallreject

import (
	"context"
	"math/rand/v2"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the stock service.
type fixed struct {
	service loadgen.Caller
	backoff time.Duration
}

// NewFixed returns a client of the stock service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{service: loadgen.NewPlain(t), backoff: t.Scaled(400 * time.Millisecond)}
}

// Call fetches the stock of an article.
func (c *fixed) Call(ctx context.Context) error {
	const retries = 20
	wait := c.backoff
	err := c.service.Call(ctx)
	for try := 0; err != nil && try < retries; try++ {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
		wait *= 2
		err = c.service.Call(ctx)
	}
	return err
}

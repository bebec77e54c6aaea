package unavailableandback

import (
	"context"
	"math/rand/v2"
	"time"

	"socketlab/internal/loadgen"
)

type fixed struct {
	service loadgen.Caller
	backoff time.Duration
}

// NewFixed returns a client of the session service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{service: loadgen.NewPlain(t), backoff: t.Scaled(200 * time.Millisecond)}
}

// Call reads a session, and waits for the service if it is down.
func (c *fixed) Call(ctx context.Context) error {
	for wait := c.backoff; ; wait = min(2*wait, 10*c.backoff) {
		err := c.service.Call(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

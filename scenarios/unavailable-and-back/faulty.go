package unavailableandback

import (
	"context"
	"time"

	"socketlab/internal/loadgen"
)

type faulty struct {
	service loadgen.Caller
	every   time.Duration
}

// NewFaulty returns a client of the session service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{service: loadgen.NewPlain(t), every: t.Scaled(10 * time.Millisecond)}
}

// Call reads a session, and waits for the service if it is down.
func (c *faulty) Call(ctx context.Context) error {
	for {
		err := c.service.Call(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(c.every):
		}
	}
}

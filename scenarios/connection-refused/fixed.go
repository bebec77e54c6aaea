package connectionrefused

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

type fixed struct {
	service loadgen.Caller
	pause   time.Duration
	resume  atomic.Int64 // Unix time in ns; no request is sent before
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{service: loadgen.NewPlain(t), pause: t.Scaled(500 * time.Millisecond)}
}

var errPaused = fmt.Errorf("price service not asked: %w", errRefused)

// Call fetches the price of an article.
func (c *fixed) Call(ctx context.Context) error {
	if time.Now().UnixNano() < c.resume.Load() {
		return errPaused
	}
	err := c.service.Call(ctx)
	if errors.Is(err, errRefused) {
		c.resume.Store(time.Now().Add(c.pause).UnixNano())
	}
	return err
}

package firewallreject

import (
	"context"

	"socketlab/internal/loadgen"
)

// faulty is a client of the stock service.
type faulty struct{ service loadgen.Caller }

// NewFaulty returns a client of the stock service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{service: loadgen.NewPlain(t)}
}

// Call fetches the stock of an article.
func (c *faulty) Call(ctx context.Context) error {
	const retries = 20
	err := c.service.Call(ctx)
	for try := 0; err != nil && try < retries; try++ {
		err = c.service.Call(ctx)
	}
	return err
}

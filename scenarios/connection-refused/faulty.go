package connectionrefused

import (
	"context"
	"errors"

	"socketlab/internal/loadgen"
)

type faulty struct{ service loadgen.Caller }

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{service: loadgen.NewPlain(t)}
}

// Call fetches the price of an article.
func (c *faulty) Call(ctx context.Context) error {
	const retries = 100
	err := c.service.Call(ctx)
	for try := 0; try < retries && errors.Is(err, errRefused); try++ {
		err = c.service.Call(ctx)
	}
	return err
}

package connectionrefused

import (
	"context"
	"errors"
	"syscall"

	"socketlab/internal/client"
)

type faulty struct {
	service client.Caller
	retries int
}

// NewFaulty returns a client of the price service.
func NewFaulty(t client.Target) client.Caller {
	return &faulty{service: client.NewPlain(t), retries: t.Retries}
}

// Call fetches the price of an article.
func (c *faulty) Call(ctx context.Context) error {
	err := c.service.Call(ctx)
	for try := 0; try < c.retries && errors.Is(err, syscall.ECONNREFUSED); try++ {
		err = c.service.Call(ctx)
	}
	return err
}

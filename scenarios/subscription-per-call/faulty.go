package subscriptionpercall

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the price service, which sends prices as they change.
type faulty struct {
	url   string
	cache io.Writer // takes the later prices
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{url: t.URL, cache: io.Discard} }

// Call returns once the price is known.
func (c *faulty) Call(ctx context.Context) error {
	return c.subscribe(context.WithoutCancel(ctx))
}

func (c *faulty) subscribe(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = resp.Body.Read(make([]byte, 64)) // the first price
	go func() {
		defer resp.Body.Close()
		_, _ = io.Copy(c.cache, resp.Body)
	}()
	return err
}

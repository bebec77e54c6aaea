package subscriptionpercall

import (
	"context"
	"io"
	"net/http"
	"sync"

	"socketlab/internal/loadgen"
)

// fixed is a client of the price service, which sends prices as they change.
type fixed struct {
	url   string
	cache io.Writer // takes the later prices
	first sync.Once
	err   error
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{url: t.URL, cache: io.Discard} }

// Call returns once the price is known.
func (c *fixed) Call(ctx context.Context) error {
	c.first.Do(func() { c.err = c.subscribe(context.WithoutCancel(ctx)) })
	return c.err
}

func (c *fixed) subscribe(ctx context.Context) error {
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

package postsenttwice

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

// client places orders, each with a key of its own.
type client struct {
	url  string
	last atomic.Int64
}

// NewClient returns the client that both sides get.
func NewClient(t loadgen.Target) loadgen.Caller { return &client{url: t.URL} }

// Call places an order. net/http repeats a POST that has an Idempotency-Key when the
// server drops the connection.
func (c *client) Call(ctx context.Context) error {
	order := fmt.Sprintf("order-%d", c.last.Add(1))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(order))
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", order)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if placed := resp.Header.Get("Placed"); placed != "1" {
		return fmt.Errorf("%s was placed %s times", order, placed)
	}
	return nil
}

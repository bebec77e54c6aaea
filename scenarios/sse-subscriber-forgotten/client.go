package ssesubscriberforgotten

import (
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// NewClient returns the client that both sides get: it subscribes, listens for a
// while, and leaves.
func NewClient(t loadgen.Target) loadgen.Caller {
	client := &http.Client{}
	return loadgen.CallerFunc(func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return loadgen.StatusError(resp.StatusCode)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(t.Every):
			return nil
		}
	})
}

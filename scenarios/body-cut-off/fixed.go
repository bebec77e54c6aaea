package bodycutoff

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the map server.
type fixed struct{ loadgen.Target }

// NewFixed returns a client of the map server.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{t}
}

// Call fetches one tile of a map.
func (c *fixed) Call(ctx context.Context) error {
	err := c.fetch(ctx)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		time.Sleep(c.Scaled(100 * time.Millisecond))
		err = c.fetch(ctx)
	}
	return err
}

func (c *fixed) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = loadgen.StatusError(resp.StatusCode)
	}
	return err
}

package bodycutoff

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the map server.
type faulty struct{ loadgen.Target }

// NewFaulty returns a client of the map server.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{t}
}

// Call fetches one tile of a map.
func (c *faulty) Call(ctx context.Context) error {
	const retries = 12
	err := c.fetch(ctx)
	for try := 0; err != nil && try < retries; try++ {
		err = c.fetch(ctx)
	}
	return err
}

func (c *faulty) fetch(ctx context.Context) error {
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

package timeoutreadstall

import (
	"context"
	"errors"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the film archive.
type faulty struct{ loadgen.Target }

// NewFaulty returns a client of the film archive.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{t}
}

// Call downloads a film.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	} else if resp.StatusCode != http.StatusOK {
		err = loadgen.StatusError(resp.StatusCode)
	}
	defer resp.Body.Close()
	for buf := make([]byte, 32<<10); err == nil; {
		_, err = resp.Body.Read(buf)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

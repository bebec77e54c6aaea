package timeoutreadstall

import (
	"context"
	"errors"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the film archive.
type faulty struct{ target loadgen.Target }

// NewFaulty returns a client of the film archive.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{target: t} }

// Call downloads a film.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.target.URL, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	for film := make([]byte, 32<<10); err == nil; {
		_, err = resp.Body.Read(film)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

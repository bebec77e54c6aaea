package timeoutreadstall

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the film archive.
type fixed struct{ target loadgen.Target }

// NewFixed returns a client of the film archive.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{target: t} }

// Call downloads a film.
func (c *fixed) Call(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	limit := c.target.Scaled(500 * time.Millisecond)
	stall := time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	defer stall.Stop()
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
	for film := make([]byte, 32<<10); err == nil; stall.Reset(limit) {
		_, err = resp.Body.Read(film)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

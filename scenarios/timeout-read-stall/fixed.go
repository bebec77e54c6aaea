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
type fixed struct{ loadgen.Target }

// NewFixed returns a client of the film archive.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{t}
}

// Call downloads a film.
func (c *fixed) Call(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	stall := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer stall.Stop()
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
	for buf := make([]byte, 32<<10); err == nil; stall.Reset(c.Timeout) {
		_, err = resp.Body.Read(buf)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

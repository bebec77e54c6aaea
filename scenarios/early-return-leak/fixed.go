package earlyreturnleak

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a nightly job: it asks for work, and does it.
type fixed struct{ queue string }

// NewFixed returns the job.
func NewFixed(t loadgen.Target) loadgen.Caller { return &fixed{queue: t.URL} }

// Call runs the job once, with a client of its own.
func (c *fixed) Call(ctx context.Context) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.queue, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return nil // nothing to do tonight
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

package earlyreturnleak

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a nightly job: it asks for work, and does it.
type faulty struct{ queue string }

// NewFaulty returns the job.
func NewFaulty(t loadgen.Target) loadgen.Caller { return &faulty{queue: t.URL} }

// Call runs the job once, with a client of its own.
func (c *faulty) Call(ctx context.Context) error {
	transport := &http.Transport{}
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
	transport.CloseIdleConnections()
	return err
}

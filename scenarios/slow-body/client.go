package slowbody

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// slow is how many of the first requests never end their body.
const slow = 100

// client plays slow clients first, and then ordinary ones.
type client struct {
	url      string
	every    time.Duration
	http     *http.Client
	ordinary loadgen.Caller
	calls    atomic.Int64
}

// NewClient returns the clients of the order service, slow and ordinary ones.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{
		url: t.URL, every: t.Every, http: &http.Client{Transport: &http.Transport{}}, ordinary: loadgen.NewPlain(t),
	}
}

// Call makes one request.
func (c *client) Call(ctx context.Context) error {
	if c.calls.Add(1) > slow {
		return c.ordinary.Call(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, drip{ctx, c.every})
	if err != nil {
		return err
	}
	req.ContentLength = 1000
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// drip is a body that has one byte at a time.
type drip struct {
	ctx   context.Context
	every time.Duration
}

// Read waits for its time, and then has one byte.
func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.every):
		p[0] = 'x'
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

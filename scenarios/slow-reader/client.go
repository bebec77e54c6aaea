package slowreader

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// slow is how many of the first requests read slowly.
const slow = 10

// client plays slow readers first, and then ordinary clients.
type client struct {
	url      string
	every    time.Duration
	http     *http.Client
	ordinary loadgen.Caller
	calls    atomic.Int64
}

// NewClient returns the clients of the order service, slow readers and ordinary ones.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{
		url: t.URL + "report", every: t.Every, http: &http.Client{Transport: &http.Transport{}}, ordinary: loadgen.NewPlain(t),
	}
}

// Call makes one request. A slow one reads a part of the report each time.
func (c *client) Call(ctx context.Context) error {
	if c.calls.Add(1) > slow {
		return c.ordinary.Call(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		if _, err := io.CopyN(io.Discard, resp.Body, 256<<10); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		<-tick.C
	}
}

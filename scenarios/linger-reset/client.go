package lingerreset

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

type client struct {
	url  string
	http *http.Client
}

// NewClient returns a client of the report service that reads at 6 MiB a second, as
// over a real network.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, http: &http.Client{Transport: &http.Transport{}}}
}

// Call reads one report.
func (c *client) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for range pace.C {
		_, err := io.CopyN(io.Discard, resp.Body, 64<<10)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

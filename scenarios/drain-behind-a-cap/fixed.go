package drainbehindacap

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the event stream.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the event stream.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}}
}

// Call reads the first bytes of the stream, and leaves it.
func (c *fixed) Call(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	defer cancel() // before Close: there is nothing to drain then
	var first [16]byte
	_, err = io.ReadFull(resp.Body, first[:])
	return err
}

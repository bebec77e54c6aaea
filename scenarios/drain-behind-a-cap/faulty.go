package drainbehindacap

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the event stream.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the event stream.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}}
}

// Call reads the first bytes of the stream, and leaves it.
func (c *faulty) Call(ctx context.Context) error {
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
	var first [16]byte
	_, err = io.ReadFull(resp.Body, first[:])
	return err
}

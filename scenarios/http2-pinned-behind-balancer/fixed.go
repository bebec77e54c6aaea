package http2pinnedbehindbalancer

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url         string
	httpClients []http.Client
	turn        atomic.Uint64
}

// NewFixed returns a client of the search service, over HTTP/2.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	c := &fixed{url: t.URL, httpClients: make([]http.Client, 3)}
	for i := range c.httpClients {
		c.httpClients[i].Transport = &http.Transport{Protocols: protocols}
	}
	return c
}

// Call searches for something.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClients[c.turn.Add(1)%uint64(len(c.httpClients))].Do(req)
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

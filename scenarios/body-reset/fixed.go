package bodyreset

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient atomic.Pointer[http.Client]
}

// NewFixed returns a client of the photo service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return (&fixed{url: t.URL}).connect()
}

func (c *fixed) connect() *fixed {
	c.httpClient.Store(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}})
	return c
}

// Call fetches a photo.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Load().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = loadgen.StatusError(resp.StatusCode)
	}
	return err
}

package bodyreset

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient atomic.Pointer[http.Client]
}

// NewFaulty returns a client of the photo service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return (&faulty{url: t.URL}).connect()
}

func (c *faulty) connect() *faulty {
	c.httpClient.Store(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}})
	return c
}

// Call fetches a photo.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Load().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		c.connect() // the connection is bad
	} else if resp.StatusCode != http.StatusOK {
		err = loadgen.StatusError(resp.StatusCode)
	}
	return err
}

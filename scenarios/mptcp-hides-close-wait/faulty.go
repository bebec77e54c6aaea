package mptcphidesclosewait

import (
	"context"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the cache, over several paths where there are some.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the cache.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	var dialer net.Dialer
	dialer.SetMultipathTCP(true)
	transport := &http.Transport{DialContext: dialer.DialContext}
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: transport}}
}

// Call asks whether the cache has an entry: the status says it.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	return err
}

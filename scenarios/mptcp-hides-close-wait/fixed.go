package mptcphidesclosewait

import (
	"context"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the cache, over several paths where there are some.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the cache.
func NewFixed(t loadgen.Target) loadgen.Caller {
	var dialer net.Dialer
	dialer.SetMultipathTCP(true)
	transport := &http.Transport{DialContext: dialer.DialContext}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport}}
}

// Call asks whether the cache has an entry: the status says it.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	return err
}

package dnsnotfound

import (
	"context"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the shop, whose name is looked up.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	dialer := &net.Dialer{Resolver: loadgen.ResolverAt(t.DNS)}
	return &faulty{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext},
	}}
}

// Call fetches the opening hours.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	const retries = 20
	resp, err := c.httpClient.Do(req)
	for try := 0; err != nil; try++ {
		if try == retries {
			return err
		}
		resp, err = c.httpClient.Do(req)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

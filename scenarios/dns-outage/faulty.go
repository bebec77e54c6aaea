package dnsoutage

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the shop.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the shop, whose name is looked up.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	// Each dial has its own resolver: callers of one resolver share a lookup.
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{Resolver: loadgen.ResolverAt(t.DNS), Timeout: t.Scaled(200 * time.Millisecond)}
		return d.DialContext(ctx, network, addr)
	}
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		DialContext: dial, DisableKeepAlives: true,
	}}}
}

// Call fetches the opening hours.
func (c *faulty) Call(ctx context.Context) error {
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
	return err
}

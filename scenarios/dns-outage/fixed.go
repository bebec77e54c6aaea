package dnsoutage

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the shop.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the shop, whose name is looked up.
func NewFixed(t loadgen.Target) loadgen.Caller {
	// Each dial has its own resolver: callers of one resolver share a lookup.
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{Resolver: loadgen.ResolverAt(t.DNS), Timeout: t.Scaled(200 * time.Millisecond)}
		return d.DialContext(ctx, network, addr)
	}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: 20,
	}}}
}

// Call fetches the opening hours.
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
	return err
}

package dnsnotfound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the shop, whose name is looked up.
func NewFixed(t loadgen.Target) loadgen.Caller {
	dialer := &net.Dialer{Resolver: loadgen.ResolverAt(t.DNS)}
	return &fixed{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext},
	}}
}

// Call fetches the opening hours.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	const retries = 20
	resp, err := c.httpClient.Do(req)
	for try := 0; err != nil; try++ {
		dns, ok := errors.AsType[*net.DNSError](err)
		if ok && dns.IsNotFound || try == retries {
			return err
		}
		resp, err = c.httpClient.Do(req)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

package natdropsidle

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the stock service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the stock service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	dialer := net.Dialer{Timeout: 900 * time.Millisecond}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 8}
	return &faulty{url: t.URL, httpClient: &http.Client{Timeout: 900 * time.Millisecond, Transport: transport}}
}

// Call asks how many are left.
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
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

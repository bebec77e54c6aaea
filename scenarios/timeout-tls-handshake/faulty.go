package timeouttlshandshake

import (
	"context"
	"io"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the payment service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the payment service, which speaks TLS.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: "https://" + t.Addr, httpClient: &http.Client{Transport: &http.Transport{
		ResponseHeaderTimeout: t.Scaled(500 * time.Millisecond),
	}}}
}

// Call asks whether a payment has come.
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

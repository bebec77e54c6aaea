package firewalldrop

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// faulty is a client of the mail service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the mail service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	dialer := &net.Dialer{}
	return &faulty{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext},
		Timeout:   t.Scaled(500 * time.Millisecond),
	}}
}

// Call asks whether a mail was sent.
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

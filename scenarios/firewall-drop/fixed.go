package firewalldrop

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the mail service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the mail service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	dialer := &net.Dialer{Timeout: t.Scaled(250 * time.Millisecond)}
	return &fixed{url: t.URL, httpClient: &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext},
		Timeout:   t.Scaled(500 * time.Millisecond),
	}}
}

// Call asks whether a mail was sent.
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
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

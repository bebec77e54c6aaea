package loadgen

import (
	"context"
	"io"
	"net/http"
)

// plain is the client at the other end of pairs that differ in the server.
type plain struct {
	url  string
	http *http.Client
}

// NewPlain returns a caller that does everything right: one Transport, bodies
// read and closed. It keeps as many idle connections as it gets.
func NewPlain(t Target) Caller {
	const plenty = 1000
	return &plain{url: t.URL, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: plenty},
		Timeout:   t.Timeout,
	}}
}

func (p *plain) Call(ctx context.Context) error { return Get(ctx, p.http, p.url) }

// Get fetches url through c, reads the whole answer and throws it away. The
// error is nil only for a 2xx.
func Get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return StatusError(resp.StatusCode)
	}
	return nil
}

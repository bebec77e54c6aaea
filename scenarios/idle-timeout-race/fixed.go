package idletimeoutrace

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the order service.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the order service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 6,
		IdleConnTimeout:     t.Scaled(400 * time.Millisecond),
	}}}
}

// Call places an order.
func (c *fixed) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader("article=4711"))
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

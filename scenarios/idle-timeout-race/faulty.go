package idletimeoutrace

import (
	"context"
	"io"
	"net/http"
	"strings"

	"socketlab/internal/loadgen"
)

// faulty is a client of the order service.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the order service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 6,
	}}}
}

// Call places an order.
func (c *faulty) Call(ctx context.Context) error {
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

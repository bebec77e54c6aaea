package conncapplusleak

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the account service, which allows five
// connections.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 5,
	}}}
}

// Call asks whether an account is there.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	resp, err := c.httpClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	return nil
}

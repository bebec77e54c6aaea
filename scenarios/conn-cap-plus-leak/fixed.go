package conncapplusleak

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client of the account service, which allows five
// connections.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 5,
	}}}
}

// Call asks whether an account is there.
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

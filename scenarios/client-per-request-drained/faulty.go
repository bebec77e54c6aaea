package clientperrequestdrained

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

type faulty struct {
	url string
}

// NewFaulty returns a client of the health service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL}
}

// Call checks that the service answers.
func (c *faulty) Call(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	httpClient := &http.Client{Transport: &http.Transport{}}
	resp, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return loadgen.StatusError(resp.StatusCode)
	}
	return nil
}

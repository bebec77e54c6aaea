package http2overmaxconns

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the thumbnail service, which allows it one connection.
type fixed struct {
	url        string
	httpClient *http.Client
	streams    chan struct{}
}

// NewFixed returns a client of the thumbnail service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols, MaxConnsPerHost: 1,
	}}, streams: make(chan struct{}, 10)} // as many as the server allows
}

// Call fetches one thumbnail; fifty may be on their way at once.
func (c *fixed) Call(ctx context.Context) error {
	c.streams <- struct{}{}
	defer func() { <-c.streams }()
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

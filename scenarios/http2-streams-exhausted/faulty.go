package http2streamsexhausted

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the label service. It is to have one connection.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client of the label service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		HTTP2:     &http.HTTP2Config{StrictMaxConcurrentRequests: true},
	}}}
}

// Call fetches one label; thirty may be on their way at once.
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

package deadpeerpooled

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the session service, over HTTP/2.
type faulty struct {
	url        string
	httpClient *http.Client
}

// NewFaulty returns a client that asks the name server where the service is.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DialContext: loadgen.DialByName(t.DNS)}
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: transport, Timeout: t.Timeout}}
}

// Call looks a session up.
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

package deadpeerpooled

import (
	"context"
	"io"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the session service, over HTTP/2.
type fixed struct {
	url        string
	httpClient *http.Client
}

// NewFixed returns a client that asks the name server where the service is.
func NewFixed(t loadgen.Target) loadgen.Caller {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DialContext: loadgen.DialByName(t.DNS)}
	transport.HTTP2 = &http.HTTP2Config{
		SendPingTimeout: t.Every,
		PingTimeout:     t.Every,
	}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport, Timeout: t.Timeout}}
}

// Call looks a session up.
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

package deadpeerpooled

import (
	"context"
	"net/http"
	"time"

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
	return &faulty{url: t.URL, httpClient: &http.Client{Transport: transport, Timeout: t.Scaled(2 * time.Second)}}
}

// Call looks a session up.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.httpClient, c.url)
}

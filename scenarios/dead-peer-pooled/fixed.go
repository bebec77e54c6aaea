package deadpeerpooled

import (
	"context"
	"net/http"
	"time"

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
		SendPingTimeout: t.Scaled(800 * time.Millisecond),
		PingTimeout:     t.Scaled(800 * time.Millisecond),
	}
	return &fixed{url: t.URL, httpClient: &http.Client{Transport: transport, Timeout: t.Scaled(2 * time.Second)}}
}

// Call looks a session up.
func (c *fixed) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.httpClient, c.url)
}

package packetloss

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the price service.
type fixed struct {
	url  string
	http *http.Client
}

// NewFixed returns a client of the price service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &fixed{url: t.URL, http: &http.Client{
		Transport: &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 50},
	}}
}

// Call asks for one price.
func (c *fixed) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.http, c.url)
}

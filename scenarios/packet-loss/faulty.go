package packetloss

import (
	"context"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the price service.
type faulty struct {
	url  string
	http *http.Client
}

// NewFaulty returns a client of the price service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &faulty{url: t.URL, http: &http.Client{
		Transport: &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 50},
	}}
}

// Call asks for one price.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.http, c.url)
}

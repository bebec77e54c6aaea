package dnsbalancing

import (
	"context"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

// faulty is a client of the feed service, with some long-lived connections.
type faulty struct {
	url   string
	conns []*http.Client
	next  atomic.Int64
}

// NewFaulty returns a client that asks the name server where the service is.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	c := &faulty{url: t.URL}
	for range 6 {
		transport := &http.Transport{MaxConnsPerHost: 1}
		transport.DialContext = loadgen.DialByName(t.DNS)
		c.conns = append(c.conns, &http.Client{Transport: transport})
	}
	return c
}

// Call reads the feed through the next of the connections.
func (c *faulty) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.conns[int(c.next.Add(1))%len(c.conns)], c.url)
}

package dnsbalancing

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the feed service, with some long-lived connections.
type fixed struct {
	url   string
	conns []*http.Client
	next  atomic.Int64
}

// NewFixed returns a client that asks the name server where the service is.
func NewFixed(t loadgen.Target) loadgen.Caller {
	c := &fixed{url: t.URL}
	for range 6 {
		transport := &http.Transport{MaxConnsPerHost: 1}
		transport.DialContext = loadgen.DialByName(t.DNS)
		go func() {
			for {
				time.Sleep(t.Every/2 + rand.N(t.Every))
				transport.CloseIdleConnections()
			}
		}()
		c.conns = append(c.conns, &http.Client{Transport: transport})
	}
	return c
}

// Call reads the feed through the next of the connections.
func (c *fixed) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.conns[int(c.next.Add(1))%len(c.conns)], c.url)
}

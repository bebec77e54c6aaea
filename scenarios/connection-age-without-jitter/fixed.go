package connectionagewithoutjitter

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// fixed is a client of the feed service, whose connections have an age.
type fixed struct {
	url   string
	conns []*http.Client
	next  atomic.Int64
}

// NewFixed returns a client that asks the name server where the service is.
func NewFixed(t loadgen.Target) loadgen.Caller {
	c := &fixed{url: t.URL}
	dial := loadgen.DialByName(t.DNS)
	for range 12 {
		transport := &http.Transport{MaxConnsPerHost: 1}
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.AfterFunc(t.Every/2+rand.N(t.Every), transport.CloseIdleConnections)
			return dial(ctx, network, addr)
		}
		c.conns = append(c.conns, &http.Client{Transport: transport})
	}
	return c
}

// Call reads the feed through the next of the connections.
func (c *fixed) Call(ctx context.Context) error {
	return loadgen.Get(ctx, c.conns[int(c.next.Add(1))%len(c.conns)], c.url)
}

package maxconnectionsperclient

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"socketlab/internal/loadgen"
)

// greedy is how many of the first requests come from one client, which opens a
// connection for each and keeps it.
const greedy = 40

// clients are a greedy client, at 127.0.0.1, and ten ordinary ones, at 127.0.0.2 and on.
type clients struct {
	url      string
	timeout  time.Duration
	calls    atomic.Int64
	ordinary [10]*http.Client
}

// NewClient returns the clients of the order service.
func NewClient(t loadgen.Target) loadgen.Caller {
	c := &clients{url: t.URL, timeout: t.Timeout}
	for i := range c.ordinary {
		c.ordinary[i] = c.at(byte(2 + i))
	}
	return c
}

// at returns a client with the address 127.0.0.last.
func (c *clients) at(last byte) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}, Timeout: c.timeout}
}

// Call makes one request, of the greedy client at first, then of the others in turn.
func (c *clients) Call(ctx context.Context) error {
	n := c.calls.Add(1)
	if n <= greedy {
		return loadgen.Get(ctx, c.at(1), c.url)
	}
	return loadgen.Get(ctx, c.ordinary[n%int64(len(c.ordinary))], c.url)
}

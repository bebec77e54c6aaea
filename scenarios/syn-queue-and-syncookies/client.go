package synqueueandsyncookies

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

// client is many clients of the shop. Those of the first burst are behind a link on
// which no reply of the server arrives.
type client struct {
	url, addr string
	calls     atomic.Int32
	shop      *http.Client
}

// NewClient returns the client that both sides get.
func NewClient(t loadgen.Target) loadgen.Caller {
	return &client{url: t.URL, addr: t.Addr, shop: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: t.Timeout}}
}

// Call asks for the shop's first page.
func (c *client) Call(ctx context.Context) error {
	if c.calls.Add(1) > 50 {
		return loadgen.Get(ctx, c.shop, c.url)
	}
	deaf := net.Dialer{Control: loseReplies, Timeout: c.shop.Timeout}
	conn, err := deaf.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

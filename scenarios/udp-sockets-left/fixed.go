package udpsocketsleft

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// fixed is a client of the order service, and counts what it does.
type fixed struct {
	url, statsd string
	httpClient  *http.Client
}

// NewFixed returns a client of the order service.
func NewFixed(t loadgen.Target) loadgen.Caller {
	return &fixed{url: t.URL, statsd: startStatsd(), httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call fetches the orders, and counts that.
func (c *fixed) Call(ctx context.Context) error {
	if err := loadgen.Get(ctx, c.httpClient, c.url); err != nil {
		return err
	}
	conn, err := net.Dial("udp", c.statsd)
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() { _, _ = io.Copy(io.Discard, conn) }() // statsd may answer
	_, err = fmt.Fprintf(conn, "orders.fetched:1|c")
	return err
}

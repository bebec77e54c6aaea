package unixsocketsleft

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// faulty is a client of the order service, and logs what it does.
type faulty struct {
	url, syslog string
	httpClient  *http.Client
}

// NewFaulty returns a client of the order service.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	return &faulty{url: t.URL, syslog: startSyslog(), httpClient: &http.Client{Transport: &http.Transport{}}}
}

// Call fetches the orders, and logs that.
func (c *faulty) Call(ctx context.Context) error {
	if err := loadgen.Get(ctx, c.httpClient, c.url); err != nil {
		return err
	}
	conn, err := net.Dial("unixgram", c.syslog)
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }() // syslog may answer
	_, err = fmt.Fprintf(conn, "<14>shop: orders fetched")
	return err
}

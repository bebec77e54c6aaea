package proxyupgradeleft

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"

	"socketlab/internal/loadgen"
)

// client has a short conversation with the ticker, through the proxy.
type client struct{ addr string }

// NewClient returns a client of the proxy.
func NewClient(t loadgen.Target) loadgen.Caller { return client{addr: t.Addr} }

// Call opens a tunnel, reads the greeting at its other end, and leaves.
func (c client) Call(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: ticker\r\n\r\n", c.addr); err != nil {
		return err
	}
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return loadgen.StatusError(resp.StatusCode)
	}
	_, err = buffered.ReadString('\n')
	return err
}

package h2wrappeddialer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync/atomic"

	"socketlab/internal/loadgen"
)

// fixed counts each byte that a TCP connection receives.
type fixed struct {
	net.Conn
	received *atomic.Int64
}

func (c *fixed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// NewFixed returns a client of the map service that counts what it receives.
func NewFixed(t loadgen.Target) loadgen.Caller {
	var received atomic.Int64
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(t.CA))
	config := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", NextProtos: []string{"h2", "http/1.1"}}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return tls.Client(&fixed{conn, &received}, config), nil
	}
	client := &http.Client{Transport: &http.Transport{DialTLSContext: dial, ForceAttemptHTTP2: true}}
	return loadgen.CallerFunc(func(ctx context.Context) error { return loadgen.Get(ctx, client, t.URL) })
}

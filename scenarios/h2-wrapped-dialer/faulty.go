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

// faulty counts each byte that a TLS connection receives.
type faulty struct {
	*tls.Conn
	received *atomic.Int64
}

func (c *faulty) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// NewFaulty returns a client of the map service that counts what it receives.
func NewFaulty(t loadgen.Target) loadgen.Caller {
	var received atomic.Int64
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(t.CA))
	config := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", NextProtos: []string{"h2", "http/1.1"}}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &faulty{tls.Client(conn, config), &received}, nil
	}
	client := &http.Client{Transport: &http.Transport{DialTLSContext: dial, ForceAttemptHTTP2: true}}
	return loadgen.CallerFunc(func(ctx context.Context) error { return loadgen.Get(ctx, client, t.URL) })
}

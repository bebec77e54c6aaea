//go:build !go1.27

package sockettest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// serveInMemory serves without sockets, over net.Pipe: httptest has no server of that kind.
func serveInMemory(t *testing.T, h http.Handler) (*http.Client, string) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	return serveOn(t, h, l, &http.Transport{DialContext: l.dial}), "http://example.com"
}

// pipes is a listener of pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

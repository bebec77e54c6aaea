package httppool_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

func TestHTTP2(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
		text(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client, pool := watch(t, server, nil)
	get(t, client, server.URL)
	done := make(chan error)
	for range 3 {
		go func() {
			resp, err := client.Get(server.URL + "/wait")
			if err == nil {
				err = drain(resp)
			}
			done <- err
		}()
	}
	s := eventually(t, pool, "3 streams", func(s httppool.Snapshot) bool { return s.Hosts[0].Streams == 3 })
	require.Len(t, s.Connections, 1)
	c := s.Connections[0]
	assert.True(t, c.HTTP2)
	assert.True(t, c.TLS)
	assert.Equal(t, httppool.Active, c.State)
	assert.Equal(t, 4, c.Uses)
	close(release)
	for range 3 {
		require.NoError(t, <-done)
	}
	s = pool.Snapshot()
	assert.Equal(t, map[httppool.State]int{httppool.Idle: 1}, count(s))
	assert.Empty(t, s.Requests)
	pool.CloseIdleConnections()
	assert.Equal(t, map[httppool.Reason]int64{httppool.CloseIdle: 1}, closed(t, pool, 1))
}

// A transport without any setting has HTTP/2, and one with a DialContext has not.
func TestHTTP2StaysAsItWas(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	for name, of := range map[string]func() *http.Transport{
		"none":              func() *http.Transport { return &http.Transport{} },
		"DialContext":       func() *http.Transport { return &http.Transport{DialContext: new(net.Dialer).DialContext} },
		"TLSClientConfig":   func() *http.Transport { return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}} },
		"ForceAttemptHTTP2": func() *http.Transport { return &http.Transport{ForceAttemptHTTP2: true} },
		"TLSNextProto": func() *http.Transport {
			return &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
		},
		"Protocols": func() *http.Transport { return &http.Transport{Protocols: protocols} },
		"DialTLSContext": func() *http.Transport {
			return &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: (&tls.Dialer{Config: &tls.Config{RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}}}).DialContext}
		},
		"the default": func() *http.Transport { return http.DefaultTransport.(*http.Transport).Clone() },
	} {
		t.Run(name, func(t *testing.T) {
			proto := func(transport *http.Transport, rt http.RoundTripper) string {
				defer transport.CloseIdleConnections()
				if transport.DialTLSContext == nil {
					// After the transport has decided whether to use HTTP/2.
					transport.CloseIdleConnections()
					if transport.TLSClientConfig == nil {
						transport.TLSClientConfig = &tls.Config{}
					}
					transport.TLSClientConfig.RootCAs = roots
				}
				resp, err := (&http.Client{Transport: rt}).Get(server.URL)
				require.NoError(t, err)
				defer resp.Body.Close()
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return string(b)
			}
			bare, watched := of(), of()
			pool := httppool.Watch(watched)
			assert.Equal(t, proto(bare, bare), proto(watched, pool))
		})
	}
}

// What DialTLSContext returns is not wrapped, and that it is closed is found out.
func TestDialTLSContext(t *testing.T) {
	server := httptest.NewTLSServer(text)
	defer server.Close()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	client, pool := watch(t, server, func(t *http.Transport) {
		t.TLSClientConfig = nil
		t.DialTLSContext = (&tls.Dialer{Config: config}).DialContext
	})
	for range 3 {
		get(t, client, server.URL)
	}
	s := pool.Snapshot()
	require.Len(t, s.Connections, 1)
	assert.Equal(t, httppool.Idle, s.Connections[0].State)
	assert.True(t, s.Connections[0].Unwrapped)
	assert.Equal(t, 3, s.Connections[0].Uses)
	pool.CloseIdleConnections()
	assert.Equal(t, map[httppool.Reason]int64{httppool.Unseen: 1}, closed(t, pool, 1))
}

// withTLS is how programs count the bytes of a connection, or log its end.
type withTLS struct{ *tls.Conn }

// Since Go 1.27 net/http asks any connection of DialTLSContext for its state, and tells it to do its
// handshake: the response has the state where it had it without Watch.
func TestDialTLSContextOfAnotherType(t *testing.T) {
	server := httptest.NewTLSServer(text)
	defer server.Close()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		config := config.Clone()
		config.ServerName = "example.com"
		return withTLS{tls.Client(conn, config)}, nil
	}
	bare := &http.Transport{DialTLSContext: dial}
	defer bare.CloseIdleConnections()
	without, err := (&http.Client{Transport: bare}).Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, drain(without))
	client, pool := watch(t, server, func(t *http.Transport) { t.TLSClientConfig, t.DialTLSContext = nil, dial })
	with, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, drain(with))
	assert.Equal(t, without.TLS != nil, with.TLS != nil, "the response has the state of its TLS")
	s := pool.Snapshot()
	require.Len(t, s.Connections, 1)
	assert.Equal(t, httppool.Idle, s.Connections[0].State)
	assert.True(t, s.Connections[0].TLS)
	assert.False(t, s.Connections[0].Unwrapped)
	pool.CloseIdleConnections()
	assert.Equal(t, map[httppool.Reason]int64{httppool.CloseIdle: 1}, closed(t, pool, 1))
}

func TestProxy(t *testing.T) {
	plain, secure := httptest.NewServer(text), httptest.NewTLSServer(text)
	defer plain.Close()
	defer secure.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			text(w, r)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		from, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
		_, _ = io.Copy(from, to)
		_ = from.Close()
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	client, pool := watch(t, secure, func(t *http.Transport) { t.Proxy = http.ProxyURL(at) })
	get(t, client, "http://shop.test/")
	get(t, client, secure.URL)
	s := pool.Snapshot()
	assert.Equal(t, map[httppool.State]int{httppool.Idle: 2}, count(s))
	hosts := map[string]string{}
	for _, c := range s.Connections {
		hosts[c.Host] = c.Via
	}
	assert.Equal(t, map[string]string{at.Host: at.Host, strings.TrimPrefix(secure.URL, "https://"): at.Host}, hosts)
}

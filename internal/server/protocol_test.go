package server

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func TestProtocols(t *testing.T) {
	t.Parallel()
	for protocol, want := range map[string]string{"http": "HTTP/1.1", "https": "HTTP/2.0", "h2c": "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server := start(t, scenario.Server{Protocol: protocol}.With(IdleTimeoutKey.Is(seconds(60))))
			c, url := server.client(t)
			for range 3 {
				resp, err := c.Get(url)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				require.NoError(t, err)
				require.Equal(t, "answered after 0s\n", string(body))
				require.Equal(t, want, resp.Proto)
				require.Equal(t, want == "HTTP/1.1", resp.Header.Get("Keep-Alive") != "")
			}
			server.served(t, Served{Received: 3, Answered: 3, Reused: 2, Accepted: 1})
			require.Equal(t, protocol == "https", server.CA() != "")
			require.NoError(t, server.stop(), "an idle connection is closed without the grace")
		})
	}
}

func TestHTTP1IsSpokenBesideHTTP2(t *testing.T) {
	t.Parallel()
	t.Run("h2c", func(t *testing.T) {
		resp, _ := start(t, scenario.Server{Protocol: "h2c"}).get(t)
		require.Equal(t, "HTTP/1.1", resp.Proto)
	})
	t.Run("https", func(t *testing.T) {
		server := start(t, scenario.Server{Protocol: "https"})
		c, url := server.client(t)
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = false // its own TLS settings switch HTTP/2 off
		resp, err := c.Get(url)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, "HTTP/1.1", resp.Proto)
	})
}

func TestCertificateIsForThisMachineAndTheShop(t *testing.T) {
	t.Parallel()
	server := New(Config{Behaviour: scenario.Server{Protocol: "https"}})
	block, rest := pem.Decode([]byte(server.CA()))
	require.Empty(t, rest)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	for _, name := range []string{"127.0.0.1", "::1", "localhost", "shop.test"} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		require.NoError(t, err, name)
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.com"})
	require.Error(t, err)
	require.NotEqual(t, server.CA(), New(Config{Behaviour: scenario.Server{Protocol: "https"}}).CA())
}

func TestStrangerDoesNotTrustTheCertificate(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{Protocol: "https"})
	_, err := server.http.Get("https://" + server.addr)
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
}

// Run with the race detector, this is what the count of a connection's requests
// must stand.
func TestRequestsOfOneConnectionSideBySide(t *testing.T) {
	t.Parallel()
	const requests = 50
	server := start(t, scenario.Server{Protocol: "h2c"}.With(DelayKey.Is(seconds(0.05)), CloseAfterKey.Is(1000)))
	c, url := server.client(t)
	_, _, err := fetch(c, url) // has a connection open
	require.NoError(t, err)
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			if _, _, err := fetch(c, url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	server.served(t, Served{Received: requests + 1, Answered: requests + 1, Reused: requests, Accepted: 1})
}

func TestHTTP2ConnectionIsClosedAfterItsLastRequest(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"https", "h2c"} {
		server := start(t, scenario.Server{Protocol: protocol}.With(CloseAfterKey.Is(2)))
		c, url := server.client(t)
		for range 6 {
			_, _, err := fetch(c, url)
			require.NoError(t, err)
		}
		// The GOAWAY may come when the client has sent its next request already, which is
		// then answered, too.
		eventually(t, "connections are closed", func() bool {
			n := server.Served()
			return n.Accepted >= 2 && n == Served{Received: 6, Answered: 6, Reused: 6 - n.Accepted, Accepted: n.Accepted}
		})
	}
}

func TestHTTP2ConnectionHasAsManyStreamsAsAllowed(t *testing.T) {
	t.Parallel()
	const streams = 10
	for _, protocol := range []string{"https", "h2c"} {
		server := start(t, scenario.Server{Protocol: protocol}.With(MaxStreamsKey.Is(streams)))
		c, url := server.client(t)
		scheme, _, _ := strings.Cut(url, ":")
		conn, err := c.Transport.(*http.Transport).NewClientConn(t.Context(), scheme, server.addr)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		_, _, err = fetch(&http.Client{Transport: conn}, url) // the server's settings have come
		require.NoError(t, err)
		require.Equal(t, streams, conn.Available()+conn.InFlight(), protocol)
	}
}

func TestServeFuncOverHTTPS(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{Protocol: "https"}, func(c *Config) {
		c.Serve = func(ctx context.Context, l net.Listener, h http.Handler) error {
			own := &http.Server{Handler: h}
			context.AfterFunc(ctx, func() { own.Close() })
			_ = own.Serve(l)
			return nil
		}
	})
	c, url := server.client(t)
	_, body, err := fetch(c, url)
	require.NoError(t, err)
	require.Equal(t, "answered after 0s\n", body)
}

func TestHandlerAnswersInPlaceOfTheLab(t *testing.T) {
	t.Parallel()
	middle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			cutOff(w)
		case "/wait":
			<-r.Context().Done()
		}
		_, _ = io.Copy(w, r.Body)
	})
	server := start(t, scenario.Server{}.With(CloseAfterKey.Is(2), IdleTimeoutKey.Is(seconds(9))), func(c *Config) { c.Handler = middle })
	url := "http://" + server.addr
	for n := range 2 {
		resp, err := server.http.Post(url, "", http.NoBody)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, n == 1, resp.Close)
	}
	server.served(t, Served{Received: 2, Answered: 2, Reused: 1, Accepted: 1})
	_, _, err := fetch(server.http, url+"/cut")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	server.served(t, Served{Received: 3, Answered: 2, Cut: 1, Reused: 1, Accepted: 2})
	conn := server.dial(t)
	send(t, conn, "GET /wait HTTP/1.1\r\nHost: test\r\n\r\n")
	server.working(t, 1)
	conn.Close()
	server.served(t, Served{Received: 4, Answered: 2, Cut: 1, Left: 1, Reused: 1, Accepted: 3})
}

func TestUnknownProtocolIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorContains(t, New(Config{Behaviour: scenario.Server{Protocol: "smtp"}}).Serve(context.Background(), l), `protocol "smtp" is unknown`)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

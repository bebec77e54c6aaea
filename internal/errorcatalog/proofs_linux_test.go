package errorcatalog

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

type response = *http.Response

var here = context.Background()

// proofs has one for each chain. Nothing leaves loopback: what would go further
// is dialled from a namespace that has no way out.
func proofs() []proof {
	var all []proof
	for _, some := range [][]proof{ofDialling, ofNames, ofConnections, ofTimes, ofCancelling, ofAnswers, ofTheKernel} {
		all = append(all, some...)
	}
	return all
}

// answered is a proof whose server reads the request, says text and does then.
func answered(entry, when, text string, then func(*net.TCPConn)) proof {
	return proof{entry: entry, when: when, make: func(t *testing.T) (response, error) {
		return get(t, here, "http://"+serve(t, says(text, then)), nil)
	}}
}

// changed is a proof of a client that waits briefly in one way.
func changed(entry, when string, addr func(t *testing.T) string, change func(*http.Client, *http.Transport)) proof {
	return proof{entry: entry, when: when, make: func(t *testing.T) (response, error) {
		return get(t, here, addr(t), change)
	}}
}

func mute(scheme string) func(t *testing.T) string {
	return func(t *testing.T) string { return scheme + serve(t, silent) }
}

func stalls(t *testing.T) string { return "http://" + serve(t, says(part, silent)) }

var ofDialling = []proof{
	{entry: "ECONNREFUSED", when: "from a dial", make: func(t *testing.T) (response, error) {
		return nil, dial(here, net.Dialer{}, bound(t, -1))
	}},
	changed("ECONNREFUSED", "from http.Client", func(t *testing.T) string { return "http://" + bound(t, -1) }, nil),
	{entry: "connect-timeout", when: "Dialer.Timeout, or the dial's context", make: func(t *testing.T) (response, error) {
		addr := full(t)
		ctx, cancel := context.WithTimeout(here, brief)
		defer cancel()
		byContext := dial(ctx, net.Dialer{}, addr)
		proof{entry: "connect-timeout", when: "Dialer.Timeout, or the dial's context"}.check(t, nil, byContext)
		return nil, dial(here, net.Dialer{Timeout: brief}, addr)
	}},
	changed("connect-timeout", "the same, from http.Client", func(t *testing.T) string { return "http://" + full(t) },
		func(_ *http.Client, tr *http.Transport) { tr.DialContext = (&net.Dialer{Timeout: brief}).DialContext }),
	{entry: "EADDRINUSE", when: "from a listen", make: func(t *testing.T) (response, error) {
		_, err := net.Listen("tcp", bound(t, 1))
		return nil, err
	}},
	{entry: "EADDRINUSE", when: "from a dial with a local port", make: func(t *testing.T) (response, error) {
		from, err := net.ResolveTCPAddr("tcp", bound(t, 1))
		require.NoError(t, err)
		return nil, dial(here, net.Dialer{LocalAddr: from}, bound(t, 1))
	}},
	{entry: "EADDRNOTAVAIL", when: "a foreign local address (bind)", make: func(t *testing.T) (response, error) {
		from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} // TEST-NET-1, RFC 5737
		return nil, dial(here, net.Dialer{LocalAddr: from}, bound(t, 1))
	}},
}

// unknown is a name that is in no search list and in no hosts file.
const unknown = "no-such-host.invalid.:80"

// asks is a proof by a name server that answers with code.
func asks(entry, when string, code dnsmessage.RCode) proof {
	return proof{entry: entry, when: when, make: func(t *testing.T) (response, error) {
		return nil, dial(here, nameServer(t, &code, nil, time.Minute), unknown)
	}}
}

func fetches(entry, when string, code *dnsmessage.RCode) proof {
	return proof{entry: entry, when: when, make: func(t *testing.T) (response, error) {
		patience := time.Minute
		if code == nil {
			patience = brief
		}
		d := nameServer(t, code, func() {}, patience)
		return get(t, here, "http://"+unknown, func(_ *http.Client, tr *http.Transport) { tr.DialContext = d.DialContext })
	}}
}

var nxdomain, servfail = dnsmessage.RCodeNameError, dnsmessage.RCodeServerFailure

var ofNames = []proof{
	asks("DNS_NOT_FOUND", "NXDOMAIN, from a dial", nxdomain),
	asks("DNS_NOT_FOUND", "an empty answer, from a dial", dnsmessage.RCodeSuccess),
	fetches("DNS_NOT_FOUND", "from http.Client", &nxdomain),
	asks("DNS_SERVFAIL", "from a dial", servfail),
	fetches("DNS_SERVFAIL", "from http.Client", &servfail),
	{entry: "DNS_TIMEOUT", when: "the resolver gave up, from a dial", make: func(t *testing.T) (response, error) {
		return nil, dial(here, nameServer(t, nil, func() {}, brief), unknown)
	}},
	fetches("DNS_TIMEOUT", "the resolver gave up, from http.Client", nil),
	{entry: "DNS_TIMEOUT", when: "the dial's context ended during the lookup", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithTimeout(here, brief)
		defer cancel()
		return nil, dial(ctx, nameServer(t, nil, func() {}, time.Minute), unknown)
	}},
	asks("DNS", "REFUSED, from a dial", dnsmessage.RCodeRefused),
	{entry: "DNS", when: "the name server's port is closed", make: func(t *testing.T) (response, error) {
		// Connected to itself, the socket takes packets from nobody else.
		at, err := net.ResolveUDPAddr("udp", bound(t, -1))
		require.NoError(t, err)
		closed, err := net.DialUDP("udp", at, at)
		require.NoError(t, err)
		t.Cleanup(func() { closed.Close() })
		err = dial(here, asking(at.String(), time.Minute), unknown)
		dns, ok := errors.AsType[*net.DNSError](err)
		require.True(t, ok && dns.IsTemporary, "%v", err)
		require.ErrorContains(t, err, "connection refused")
		require.False(t, conditions["ECONNREFUSED"](nil, err), "it is text only")
		return nil, err
	}},
}

var ofConnections = []proof{
	answered("ECONNRESET", "before the answer", "", rst),
	{entry: "ECONNRESET", when: "in the body (resp.Body.Read)", make: func(t *testing.T) (response, error) {
		got := make(chan struct{}) // a reset throws away what was not read
		addr := serve(t, says(part, func(conn *net.TCPConn) {
			<-got
			rst(conn)
		}))
		return getAnd(t, here, "http://"+addr, nil, func() { close(got) })
	}},
	{entry: "ECONNRESET", when: "from conn.Read", make: func(t *testing.T) (response, error) {
		conn := connect(t, serve(t, func(conn *net.TCPConn) {
			_, _ = conn.Read(make([]byte, 1)) // else it may be the dial's
			rst(conn)
		}))
		_, err := conn.Write([]byte("?"))
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1))
		return nil, err
	}},
	{entry: "EPIPE", when: "a write after the peer's FIN and RST", make: func(t *testing.T) (response, error) {
		conn := connect(t, serve(t, fin))
		_, err := conn.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		_, err = conn.Write([]byte("lost"))
		require.NoError(t, err, "it is taken, and answered by a RST")
		for err == nil {
			_, err = conn.Write([]byte("more"))
		}
		return nil, err
	}},
	{entry: "EPIPE", when: "a write after CloseWrite", make: func(t *testing.T) (response, error) {
		conn := connect(t, serve(t, silent))
		require.NoError(t, conn.CloseWrite())
		_, err := conn.Write([]byte("more"))
		return nil, err
	}},
	answered("EOF", "before the answer", "", fin),
	{entry: "EOF", when: "from conn.Read", make: func(t *testing.T) (response, error) {
		_, err := connect(t, serve(t, fin)).Read(make([]byte, 1))
		return nil, err
	}},
	answered("ErrUnexpectedEOF", "in the body (resp.Body.Read), Content-Length", part, fin),
	answered("ErrUnexpectedEOF", "in the body (resp.Body.Read), chunked",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", fin),
	answered("ErrUnexpectedEOF", "between two lines of the header", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n", fin),
	answered("truncated", "in the body", "HTTP/1.1 200 OK\r\n\r\nhello", fin),
	{entry: "truncated", when: "in the body, over TLS without close_notify", make: func(t *testing.T) (response, error) {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nhello")
				conn.(*tls.Conn).NetConn().Close()
			}
		}))
		t.Cleanup(server.Close)
		return get(t, here, server.URL, func(_ *http.Client, tr *http.Transport) {
			tr.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
		})
	}},
}

var ofTimes = []proof{
	changed("timeout", "Client.Timeout, before the answer", mute("http://"),
		func(c *http.Client, _ *http.Transport) { c.Timeout = brief }),
	{entry: "timeout", when: "Client.Timeout, in the body", make: func(t *testing.T) (response, error) {
		return inBody(t, func(timeout time.Duration, url string, arrived func()) (*http.Response, error) {
			return getAnd(t, here, url, func(c *http.Client, _ *http.Transport) { c.Timeout = timeout }, arrived)
		})
	}},
	{entry: "timeout", when: "the context's deadline, before the answer", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithTimeout(here, brief)
		defer cancel()
		return get(t, ctx, mute("http://")(t), nil)
	}},
	{entry: "timeout", when: "the context's deadline, in the body", make: func(t *testing.T) (response, error) {
		return inBody(t, func(timeout time.Duration, url string, arrived func()) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(here, timeout)
			defer cancel()
			return getAnd(t, ctx, url, nil, arrived)
		})
	}},
	{entry: "timeout", when: "conn.SetReadDeadline", make: func(t *testing.T) (response, error) {
		conn := connect(t, serve(t, silent))
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(brief)))
		_, err := conn.Read(make([]byte, 1))
		return nil, err
	}},
	{entry: "timeout", when: "conn.SetWriteDeadline, the peer does not read", make: func(t *testing.T) (response, error) {
		conn := connect(t, serve(t, silent))
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(brief)))
		return nil, writeUntilItFails(conn)
	}},
	changed("TLS_HANDSHAKE_TIMEOUT", "Transport.TLSHandshakeTimeout", mute("https://"),
		func(_ *http.Client, tr *http.Transport) { tr.TLSHandshakeTimeout = brief }),
	changed("RESPONSE_HEADER_TIMEOUT", "Transport.ResponseHeaderTimeout", mute("http://"),
		func(_ *http.Client, tr *http.Transport) { tr.ResponseHeaderTimeout = brief }),
}

func writeUntilItFails(conn net.Conn) error {
	for block := make([]byte, 1<<16); ; {
		if _, err := conn.Write(block); err != nil {
			return err
		}
	}
}

var ofCancelling = []proof{
	{entry: "canceled", when: "before the answer", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithCancel(here)
		return get(t, ctx, "http://"+serve(t, says("", func(*net.TCPConn) { cancel() })), nil)
	}},
	{entry: "canceled", when: "in the body (resp.Body.Read)", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithCancel(here)
		return getAnd(t, ctx, stalls(t), nil, cancel)
	}},
	{entry: "canceled", when: "in a dial", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithCancelCause(here)
		addr := full(t)
		time.AfterFunc(brief, func() { cancel(errors.New("shed")) })
		return nil, dial(ctx, net.Dialer{}, addr) // it keeps context.Canceled beside a cause
	}},
	{entry: "canceled", when: "in a lookup, from a dial", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithCancel(here)
		return nil, dial(ctx, nameServer(t, nil, cancel, time.Minute), unknown)
	}},
	{entry: "other", when: "cancelled with a cause of one's own", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithCancelCause(here)
		addr := serve(t, says("", func(*net.TCPConn) { cancel(errors.New("shed")) }))
		resp, err := get(t, ctx, "http://"+addr, nil)
		require.NotErrorIs(t, err, context.Canceled)
		return resp, err
	}},
	{entry: "other", when: "past the deadline of WithTimeoutCause", make: func(t *testing.T) (response, error) {
		ctx, cancel := context.WithTimeoutCause(here, brief, errors.New("budget"))
		defer cancel()
		resp, err := get(t, ctx, mute("http://")(t), nil)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		return resp, err
	}},
}

var ofAnswers = []proof{
	answered("HTTP_401", "", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 5\r\n\r\nsorry", silent),
	answered("HTTP_503", "", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nsorry", silent),
	answered("other", "cut inside a line of the header", "HTTP/1.1 200 OK\r\nContent-", fin),
}

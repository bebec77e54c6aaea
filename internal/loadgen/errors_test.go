package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"

	"socketlab/internal/toydb"
)

const brief = 50 * time.Millisecond

// request makes one request to addr through a fresh transport.
func request(t *testing.T, addr string, change func(*http.Client, *http.Transport)) error {
	t.Helper()
	tr := transport(t, &http.Transport{})
	c := &http.Client{Transport: tr}
	if change != nil {
		change(c, tr)
	}
	return get(c, "http://"+addr)(context.Background())
}

// readRequest reads until the end of a request's header.
func readRequest(conn net.Conn) {
	var last [4]byte
	for one := make([]byte, 1); string(last[:]) != "\r\n\r\n"; {
		if _, err := conn.Read(one); err != nil {
			return
		}
		copy(last[:], append(last[1:], one[0]))
	}
}

// Every error is made by real sockets. (Those that need more of the kernel
// than loopback sockets are in the Linux file.)
func TestNameOfEachError(t *testing.T) {
	silent := func(*net.TCPConn) {}
	tests := []struct {
		want, how string
		err       func(t *testing.T) error
	}{
		{"ECONNRESET", "the server closes with linger 0", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_ = conn.SetLinger(0)
				conn.Close()
			}), nil)
		}},
		{"ECONNRESET", "in the middle of the body", func(t *testing.T) error {
			got := make(chan struct{})
			addr := raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
				<-got // a reset throws away what was not read
				_ = conn.SetLinger(0)
				conn.Close()
			})
			resp, err := (&http.Client{Transport: transport(t, &http.Transport{})}).Get("http://" + addr)
			require.NoError(t, err)
			defer resp.Body.Close()
			_, err = io.ReadFull(resp.Body, make([]byte, 5))
			require.NoError(t, err)
			close(got)
			_, err = io.ReadAll(resp.Body)
			return err
		}},
		{"EOF", "the server closes instead of answering", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				conn.Close()
			}), nil)
		}},
		{"EOF", "a database that closes", func(t *testing.T) error {
			_, err := toydb.Open(context.Background(), raw(t, func(conn *net.TCPConn) { conn.Close() }))
			return err
		}},
		{"ErrUnexpectedEOF", "the server closes in the middle of the body", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
				conn.Close()
			}), nil)
		}},
		{"ErrUnexpectedEOF", "in the middle of the header", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n")
				conn.Close()
			}), nil)
		}},
		{"timeout", "of the client", func(t *testing.T) error {
			return request(t, raw(t, silent), func(c *http.Client, _ *http.Transport) { c.Timeout = brief })
		}},
		{"timeout", "of the client, in the middle of the body", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
			}), func(c *http.Client, _ *http.Transport) { c.Timeout = 4 * brief })
		}},
		{"timeout", "of the header", func(t *testing.T) error {
			return request(t, raw(t, silent), func(_ *http.Client, tr *http.Transport) { tr.ResponseHeaderTimeout = brief })
		}},
		{"timeout", "of the TLS handshake", func(t *testing.T) error {
			tr := transport(t, &http.Transport{TLSHandshakeTimeout: brief})
			return get(&http.Client{Transport: tr}, "https://"+raw(t, silent))(context.Background())
		}},
		{"timeout", "of the context", func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(context.Background(), brief)
			defer cancel()
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, "http://"+raw(t, silent))(ctx)
		}},
		{"timeout", "of a query", func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(context.Background(), brief)
			defer cancel()
			_, err := toydb.Open(ctx, raw(t, silent))
			return err
		}},
		{"timeout", "of a read", func(t *testing.T) error {
			conn, err := net.Dial("tcp", raw(t, silent))
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(brief)))
			_, err = conn.Read(make([]byte, 1))
			return err
		}},
		{"canceled", "before the answer", func(t *testing.T) error {
			ctx, cancel := context.WithCancel(context.Background())
			addr := raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				cancel()
			})
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, "http://"+addr)(ctx)
		}},
		{"canceled", "before the dial", func(t *testing.T) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, "http://"+raw(t, silent))(ctx)
		}},
		{"HTTP_503", "the server is busy", func(t *testing.T) error {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
			return request(t, server.Listener.Addr().String(), nil)
		}},
		{"DNS_NOT_FOUND", "no such name", func(t *testing.T) error {
			return lookup(context.Background(), nameServer(t, nameError, nil))
		}},
		{"DNS_NOT_FOUND", "over HTTP", func(t *testing.T) error {
			d := net.Dialer{Resolver: nameServer(t, nameError, nil)}
			tr := transport(t, &http.Transport{DialContext: d.DialContext})
			return get(&http.Client{Transport: tr}, "http://no-such-host.invalid.")(context.Background())
		}},
		{"DNS_SERVFAIL", "the name server failed", func(t *testing.T) error {
			return lookup(context.Background(), nameServer(t, serverFailure, nil))
		}},
		{"DNS", "the name server refused", func(t *testing.T) error {
			return lookup(context.Background(), nameServer(t, refused, nil))
		}},
		{"DNS", "the name server could not be asked", func(*testing.T) error {
			return lookup(context.Background(), &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
			}})
		}},
		{"DNS_TIMEOUT", "the name server is silent", func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(context.Background(), brief)
			defer cancel()
			return lookup(ctx, nameServer(t, silence, nil))
		}},
		{"canceled", "in a lookup", func(t *testing.T) error {
			ctx, cancel := context.WithCancel(context.Background())
			return lookup(ctx, nameServer(t, silence, cancel))
		}},
		{"other", "a certificate that nobody signed", func(t *testing.T) error {
			server := httptest.NewUnstartedServer(http.HandlerFunc(answer))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			tr := transport(t, &http.Transport{TLSClientConfig: &tls.Config{ServerName: "example.com"}})
			return get(&http.Client{Transport: tr}, server.URL)(context.Background())
		}},
		{"other", "not HTTP", func(t *testing.T) error {
			return request(t, raw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, "READY\r\n\r\n")
				conn.Close()
			}), nil)
		}},
		{"other", "a connection that the client itself closed", func(t *testing.T) error {
			conn, err := net.Dial("tcp", raw(t, silent))
			require.NoError(t, err)
			conn.Close()
			_, err = conn.Read(make([]byte, 1))
			return err
		}},
	}
	for _, test := range tests {
		t.Run(test.want+" "+test.how, func(t *testing.T) { requireName(t, test.want, test.err(t)) })
	}
}

// What a name server answers (RFC 1035 section 4.1.1).
const (
	silence       = -1
	serverFailure = 2
	nameError     = 3
	refused       = 5
)

// lookup dials a name that is nowhere else but at the resolver.
func lookup(ctx context.Context, r *net.Resolver) error {
	_, err := (&net.Dialer{Resolver: r}).DialContext(ctx, "tcp", "no-such-host.invalid.:80")
	return err
}

// nameServer returns a resolver over a name server that answers with code; one
// that is silent calls asked in place of it.
func nameServer(t *testing.T, code int, asked func()) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for message := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(message)
			if err != nil {
				return
			}
			if code != silence {
				message[2], message[3] = 0x81, 0x80|byte(code) // a response, recursion available
				_, _ = server.WriteTo(message[:n], from)
			} else if asked != nil {
				asked()
			}
		}
	}()
	t.Cleanup(func() {
		server.Close()
		<-answered
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// requireName wants err counted under a name, however it is wrapped.
func requireName(t *testing.T, want string, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, ErrorName(err), "%T: %v", err, err)
	require.Equal(t, want, ErrorName(fmt.Errorf("query: %w", err)))
	require.Equal(t, want, ErrorName(errors.Join(errors.New("also this"), err)))
}

func TestFailedRequestsAreCountedByName(t *testing.T) {
	var n int
	r := oneByOne(CallerFunc(func(context.Context) error {
		n++
		switch n % 3 {
		case 0:
			return StatusError(500)
		case 1:
			return io.EOF
		default:
			return nil
		}
	}), 9).metrics()
	require.Equal(t, &series.Requests{Sent: 9, OK: 3, Failed: 6, CutOff: 3, Attempts: new(int64), Errors: map[string]int64{"EOF": 3, "HTTP_500": 3}}, r.Requests)
}

func TestStatusErrorSaysTheStatus(t *testing.T) {
	require.EqualError(t, StatusError(503), "server answered with status 503")
}

// What the adapters of docs/own-code.md said of a server that does not answer, one that
// resets, a closed port and no descriptor left has the name that it has in Go.
func TestTextsOfOtherLanguagesHaveTheNamesOfTheirErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"timeout": "timeout", "HTTP_503": "HTTP_503", "ReadTimeout": "ReadTimeout", "": "other", "no price: 404": "other",

		`ReadTimeout(ReadTimeoutError("HTTPConnectionPool(host='127.0.0.1', port=1): Read timed out. (read timeout=0.5)"))`:                                                                   "timeout",
		`ConnectionError(ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')))`:                                                                        "ECONNRESET",
		`ConnectionError(ProtocolError('Connection aborted.', RemoteDisconnected('Remote end closed connection without response')))`:                                                          "ECONNRESET",
		`ConnectionError(MaxRetryError('HTTPConnectionPool(host=\'127.0.0.1\', port=1): Max retries exceeded with url: / (Caused by NewConnectionError("[Errno 111] Connection refused"))'))`: "ECONNREFUSED",
		`OSError(24, 'Too many open files')`: "EMFILE",

		"TimeoutError: 23": "timeout", "AbortError: 20": "timeout", "TypeError: UND_ERR_HEADERS_TIMEOUT": "timeout",
		"Error: ECONNRESET": "ECONNRESET", "TypeError: ECONNREFUSED": "ECONNREFUSED", "Error: EMFILE": "EMFILE", "Error: undefined": "other",

		"java.net.http.HttpTimeoutException: request timed out":             "timeout",
		"java.net.http.HttpConnectTimeoutException: HTTP connect timed out": "timeout",
		"java.net.SocketException: Connection reset":                        "ECONNRESET",
		"java.net.ConnectException":                                         "ECONNREFUSED",
		"java.net.SocketException: Too many open files":                     "EMFILE",

		`"Get \"http://127.0.0.1:1/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"`: "timeout",
		`"Get \"http://127.0.0.1:1/\": read tcp 127.0.0.1:2->127.0.0.1:1: read: connection reset by peer"`:          "ECONNRESET",
		`"Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"`:                          "ECONNREFUSED",
		`"Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: cannot assign requested address"`:             "EADDRNOTAVAIL",
	} {
		require.Equal(t, want, ErrorName(NamedError(text)), text)
	}
}

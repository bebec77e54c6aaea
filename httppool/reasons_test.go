package httppool_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

// untilConnected sends the request again while its time is over before it has a
// connection, as on a busy machine.
func untilConnected(t *testing.T, send func(context.Context)) {
	t.Helper()
	for connected := false; !connected; {
		send(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { connected = true },
		}))
	}
}

func TestReasons(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		set     func(*http.Transport)
		do      func(t *testing.T, c *http.Client, server *httptest.Server)
		want    httppool.Reason
		tls     bool
		several bool // of one request, on a busy machine
	}{
		{name: "idle timeout", set: func(t *http.Transport) { t.IdleConnTimeout = time.Millisecond }, want: httppool.IdleTimeout},
		// One over HTTP/2 may be idle for so long before its request comes, which takes another.
		{name: "idle timeout of HTTP/2", tls: true, several: true, set: func(t *http.Transport) {
			t.IdleConnTimeout = time.Millisecond
			t.ForceAttemptHTTP2 = true
		}, want: httppool.IdleTimeout},
		{name: "the server closes an idle one", do: func(t *testing.T, c *http.Client, server *httptest.Server) {
			get(t, c, server.URL)
			server.CloseClientConnections()
		}, want: httppool.Peer},
		{name: "the server closes an idle one with TLS", tls: true, do: func(t *testing.T, c *http.Client, server *httptest.Server) {
			get(t, c, server.URL)
			server.CloseClientConnections()
		}, want: httppool.Peer},
		{name: "the server resets", handler: func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
		}, do: func(t *testing.T, c *http.Client, server *httptest.Server) {
			_, err := c.Get(server.URL)
			require.Error(t, err)
		}, want: httppool.Failed},
		{name: "the body is closed unread", handler: func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, long); err != nil {
					return
				}
			}
		}, do: func(t *testing.T, c *http.Client, server *httptest.Server) {
			resp, err := c.Get(server.URL)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}, want: httppool.BodyUnfinished},
		{
			name: "cancelled", handler: slow,
			do: func(t *testing.T, c *http.Client, server *httptest.Server) {
				get(t, c, server.URL+"/fast")
				untilConnected(t, func(ctx context.Context) {
					ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
					defer cancel()
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
					require.NoError(t, err)
					_, err = c.Do(req)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				})
			}, want: httppool.Cancelled,
		},
		{
			name: "client timeout", handler: slow,
			do: func(t *testing.T, c *http.Client, server *httptest.Server) {
				get(t, c, server.URL+"/fast")
				c.Timeout = 10 * time.Millisecond
				untilConnected(t, func(ctx context.Context) {
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
					require.NoError(t, err)
					_, err = c.Do(req)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				})
			}, want: httppool.Cancelled,
		},
		{
			name: "no response header in time", handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			set: func(t *http.Transport) { t.ResponseHeaderTimeout = 10 * time.Millisecond },
			do: func(t *testing.T, c *http.Client, server *httptest.Server) {
				_, err := c.Get(server.URL)
				require.Error(t, err)
			}, want: httppool.Cancelled,
		},
		{name: "keep-alives are disabled", set: func(t *http.Transport) { t.DisableKeepAlives = true }, want: httppool.NotReusable},
		{name: "the server says that it closes", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
		}, want: httppool.NotReusable},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.handler == nil {
				test.handler = text
			}
			server := httptest.NewUnstartedServer(test.handler)
			server.EnableHTTP2 = test.tls && strings.Contains(test.name, "HTTP/2")
			if test.tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			client, pool := watch(t, server, test.set)
			if test.do == nil {
				test.do = func(t *testing.T, c *http.Client, server *httptest.Server) { get(t, c, server.URL) }
			}
			test.do(t, client, server)
			closed(t, pool, 1)
			assert.Empty(t, eventually(t, pool, "no request", func(s httppool.Snapshot) bool {
				return len(s.Requests) == 0 && (len(s.Connections) == 0 || !test.several)
			}).Connections)
			why := closed(t, pool, 1)
			if test.several && why[test.want] > 1 {
				why[test.want] = 1
			}
			assert.Equal(t, map[httppool.Reason]int64{test.want: 1}, why)
		})
	}
}

func TestLimitsOfIdleConnections(t *testing.T) {
	for name, set := range map[string]func(*http.Transport){
		"MaxIdleConnsPerHost": func(t *http.Transport) { t.MaxIdleConnsPerHost = 1 },
		"MaxIdleConns":        func(t *http.Transport) { t.MaxIdleConns, t.MaxIdleConnsPerHost = 1, 5 },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(text)
			defer server.Close()
			client, pool := watch(t, server, set)
			a, err := client.Get(server.URL)
			require.NoError(t, err)
			b, err := client.Get(server.URL)
			require.NoError(t, err)
			require.NoError(t, drain(a))
			require.NoError(t, drain(b))
			assert.Equal(t, map[httppool.Reason]int64{httppool.Limit: 1}, closed(t, pool, 1))
			assert.Equal(t, map[httppool.State]int{httppool.Idle: 1}, count(pool.Snapshot()))
		})
	}
}

package loadgen

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/server"
	"socketlab/internal/toydb"
)

func TestConnectionsAreCountedExactly(t *testing.T) {
	const requests = 20
	tests := []struct {
		name           string
		caller         func(t *testing.T) Caller
		opened, reused int64
	}{
		{"one connection for all requests", func(t *testing.T) Caller {
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, serve(t, answer).URL)
		}, 1, requests - 1},
		{"a new transport for each request", func(t *testing.T) Caller {
			srv := serve(t, answer)
			return CallerFunc(func(ctx context.Context) error {
				return get(&http.Client{Transport: transport(t, &http.Transport{})}, srv.URL)(ctx)
			})
		}, requests, 0},
		{"keep-alive switched off", func(t *testing.T) Caller {
			return get(&http.Client{Transport: transport(t, &http.Transport{DisableKeepAlives: true})}, serve(t, answer).URL)
		}, requests, 0},
		{"the server closes after each answer", func(t *testing.T) Caller {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close")
				answer(w, r)
			})
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, srv.URL)
		}, requests, 0},
		{"the server closes after each fifth answer", func(t *testing.T) Caller {
			var n atomic.Int64
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1)%5 == 0 {
					w.Header().Set("Connection", "close")
				}
				answer(w, r)
			})
			return get(&http.Client{Transport: transport(t, &http.Transport{})}, srv.URL)
		}, requests / 5, requests - requests/5},
		{"bodies that are closed but not read", func(t *testing.T) Caller {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
			client := &http.Client{Transport: transport(t, &http.Transport{})}
			return CallerFunc(func(ctx context.Context) error {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
				if err != nil {
					return err
				}
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			})
		}, requests, 0},
		{"TLS", func(t *testing.T) Caller { return overTLS(t, false) }, 1, requests - 1},
		{"HTTP/2", func(t *testing.T) Caller { return overTLS(t, true) }, 1, requests - 1},
		{"one toydb connection", func(t *testing.T) Caller {
			conn, err := toydb.Open(context.Background(), toyDB(t))
			require.NoError(t, err)
			t.Cleanup(func() { conn.Close() })
			return CallerFunc(func(ctx context.Context) error {
				_, err := conn.Query(ctx, "SELECT 1")
				return err
			})
		}, 0, requests - 1}, // it was opened outside of the load
		{"a toydb connection for each query", func(t *testing.T) Caller {
			addr := toyDB(t)
			return CallerFunc(func(ctx context.Context) error {
				conn, err := toydb.Open(ctx, addr)
				if err != nil {
					return err
				}
				defer conn.Close()
				_, err = conn.Query(ctx, "SELECT 1")
				return err
			})
		}, requests, 0},
		{"two queries on each toydb connection", func(t *testing.T) Caller {
			addr := toyDB(t)
			var last *toydb.Conn
			t.Cleanup(func() { last.Close() })
			n := 0
			return CallerFunc(func(ctx context.Context) (err error) {
				if n++; n%2 == 1 {
					if last != nil {
						last.Close()
					}
					if last, err = toydb.Open(ctx, addr); err != nil {
						return err
					}
				}
				_, err = last.Query(ctx, "SELECT 1")
				return err
			})
		}, requests / 2, requests / 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := oneByOne(test.caller(t), requests).metrics()
			attempts := int64(requests)
			if strings.Contains(test.name, "toydb") {
				attempts = 0 // it has no requests in the sense of HTTP
			}
			require.Equal(t, &series.Requests{Sent: requests, OK: requests, Attempts: &attempts, Errors: map[string]int64{}}, r.Requests)
			require.Equal(t, conns(test.opened, test.reused, 0, 0), r.Connections)
		})
	}
}

func overTLS(t *testing.T, http2 bool) Caller {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.ProtoMajor == 2) != http2 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
		answer(w, r)
	}))
	srv.EnableHTTP2 = http2
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return get(srv.Client(), srv.URL)
}

// toyDB starts a toydb server, and returns its address.
func toyDB(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.New(server.Config{
			Behaviour: scenario.Server{Protocol: "toydb"}, Log: slog.New(slog.DiscardHandler),
		}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		<-served
	})
	return l.Addr().String()
}

func TestEveryConnectionOfAWaveIsReusedByTheNext(t *testing.T) {
	const wave = 30
	var waiting sync.WaitGroup // until the whole wave is there, so that no connection can serve two
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		waiting.Done()
		waiting.Wait()
		answer(w, r)
	})
	caller := NewPlain(Target{URL: srv.URL})
	t.Cleanup(caller.(*plain).http.CloseIdleConnections)
	b := newCounters()
	for range 3 {
		waiting.Add(wave)
		var calls sync.WaitGroup
		for range wave {
			b.sent.Add(1)
			calls.Go(func() { b.call(context.Background(), caller, time.Now()) })
		}
		calls.Wait()
	}
	require.Equal(t, conns(wave, 2*wave, 0, 0), b.metrics().Connections)
}

// The transport dials for a request, gives it another connection that has
// become idle meanwhile, and keeps the new one. The request that gets that one
// later is its first, although net/http calls it reused.
func TestConnectionThatNeverServedIsNotReused(t *testing.T) {
	entered, leave := make(chan string), map[string]chan struct{}{}
	for _, path := range []string{"/a", "/b", "/c"} {
		leave[path] = make(chan struct{})
	}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- r.URL.Path
		<-leave[r.URL.Path]
		answer(w, r)
	})
	var dials atomic.Int64
	dialled, handOver, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tr := transport(t, &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		n := dials.Add(1)
		if n > 2 {
			<-end
			return nil, net.ErrClosed
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if n == 2 {
			close(dialled)
			<-handOver
		}
		return conn, err
	}})
	t.Cleanup(func() { close(end) })

	b := newCounters()
	calls := map[string]chan struct{}{}
	var info httptrace.GotConnInfo
	begin := func(path string) {
		calls[path] = make(chan struct{})
		b.sent.Add(1)
		go func() {
			defer close(calls[path])
			b.call(context.Background(), CallerFunc(func(ctx context.Context) error {
				if path == "/c" {
					ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { info = i }})
				}
				return get(&http.Client{Transport: tr}, srv.URL+path)(ctx)
			}), time.Now())
		}()
	}
	begin("/a")
	require.Equal(t, "/a", <-entered)
	begin("/b")
	<-dialled
	close(leave["/a"])
	require.Equal(t, "/b", <-entered, "it was given the first connection")
	close(handOver)
	begin("/c")
	require.Equal(t, "/c", <-entered)
	close(leave["/b"])
	close(leave["/c"])
	for _, done := range calls {
		<-done
	}
	require.True(t, info.Reused, "net/http calls the second connection reused, or this test shows nothing")
	require.Equal(t, conns(2, 1, 0, 0), b.metrics().Connections)
}

func TestFailedDialsOpenNothingAndAreCounted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	r := oneByOne(get(&http.Client{Transport: transport(t, &http.Transport{})}, "http://"+l.Addr().String()), 5).metrics()
	require.Equal(t, conns(0, 0, 5, 0), r.Connections)
	require.Equal(t, &series.Requests{Sent: 5, Failed: 5, Attempts: new(int64(5)), Errors: map[string]int64{"ECONNREFUSED": 5}}, r.Requests)
}

func TestRequestThatFailsOnAUsedConnectionCountsAsReused(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	r := oneByOne(get(&http.Client{Transport: transport(t, &http.Transport{})}, srv.URL), 5).metrics()
	require.Equal(t, conns(1, 4, 0, 0), r.Connections)
	require.EqualValues(t, 5, r.Requests.Failed)
}

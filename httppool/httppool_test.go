package httppool_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

// text answers with a body that is read in one go.
var text = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

// watch returns a client of the server through a Pool of a transport that set has changed.
func watch(t *testing.T, server *httptest.Server, set func(*http.Transport), options ...httppool.Option) (*http.Client, *httppool.Pool) {
	t.Helper()
	transport := server.Client().Transport.(*http.Transport)
	if set != nil {
		set(transport)
	}
	pool := httppool.Watch(transport, options...)
	t.Cleanup(pool.CloseIdleConnections)
	return &http.Client{Transport: pool}, pool
}

func get(t *testing.T, c *http.Client, url string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// count is how many connections are in each state.
func count(s httppool.Snapshot) map[httppool.State]int {
	all := map[httppool.State]int{}
	for _, c := range s.Connections {
		all[c.State]++
	}
	return all
}

// eventually waits until the Pool is as the condition says.
func eventually(t *testing.T, pool *httppool.Pool, what string, holds func(httppool.Snapshot) bool) httppool.Snapshot {
	t.Helper()
	var s httppool.Snapshot
	require.Eventually(t, func() bool { s = pool.Snapshot(); return holds(s) }, time.Minute, time.Millisecond, what)
	return s
}

// closed waits until as many connections were closed, and says why.
func closed(t *testing.T, pool *httppool.Pool, n int64) map[httppool.Reason]int64 {
	t.Helper()
	all := map[httppool.Reason]int64{}
	eventually(t, pool, "closed", func(s httppool.Snapshot) bool {
		clear(all)
		sum := int64(0)
		for _, h := range s.Hosts {
			for why, n := range h.Closed {
				all[why] += n
				sum += n
			}
		}
		return sum >= n
	})
	return all
}

func TestStates(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	client, pool := watch(t, server, nil)

	resp, err := client.Get(server.URL + "/orders?secret=1")
	require.NoError(t, err)
	s := pool.Snapshot()
	require.Equal(t, map[httppool.State]int{httppool.Active: 1}, count(s))
	require.Len(t, s.Requests, 1)
	r := s.Requests[0]
	assert.Equal(t, httppool.RequestBody, r.State)
	assert.Equal(t, server.URL+"/orders", r.URL)
	assert.Equal(t, s.Connections[0].Local, r.Local)
	assert.Contains(t, functions(r), "TestStates")
	require.NoError(t, drain(resp))

	get(t, client, server.URL)
	s = pool.Snapshot()
	require.Equal(t, map[httppool.State]int{httppool.Idle: 1}, count(s))
	assert.Empty(t, s.Requests)
	assert.Equal(t, 2, s.Connections[0].Uses)
	require.Len(t, s.Hosts, 1)
	h := s.Hosts[0]
	assert.Equal(t, strings.TrimPrefix(server.URL, "http://"), h.Name)
	assert.EqualValues(t, 1, h.Opened)
	assert.EqualValues(t, 2, h.Requests)
	assert.Equal(t, 1, h.Open())

	pool.CloseIdleConnections()
	s = pool.Snapshot()
	assert.Empty(t, s.Connections)
	assert.Equal(t, map[httppool.Reason]int64{httppool.CloseIdle: 1}, s.Hosts[0].Closed)
}

func functions(r httppool.Request) string {
	var all []string
	for _, f := range r.Stack {
		all = append(all, f.Function)
	}
	return strings.Join(all, "\n")
}

func drain(resp *http.Response) error {
	_, err := io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func TestRequestsWaitForTheLimit(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	client, pool := watch(t, server, func(t *http.Transport) { t.MaxConnsPerHost = 2 })
	done := make(chan error)
	for range 5 {
		go func() {
			resp, err := client.Get(server.URL)
			if err == nil {
				err = drain(resp)
			}
			done <- err
		}()
	}
	eventually(t, pool, "3 wait", func(s httppool.Snapshot) bool {
		return len(s.Hosts) == 1 && s.Hosts[0].Waiting == 3 && count(s)[httppool.Active] == 2
	})
	time.Sleep(time.Millisecond) // so that the wait can be seen in any clock
	s := pool.Snapshot()
	assert.GreaterOrEqual(t, s.Hosts[0].LongestWait, time.Millisecond)
	for _, r := range s.Requests {
		if r.State == httppool.RequestWaiting {
			assert.False(t, r.Dialling)
			assert.Contains(t, functions(r), "TestRequestsWaitForTheLimit")
		}
	}
	close(release)
	for range 5 {
		require.NoError(t, <-done)
	}
	s = pool.Snapshot()
	assert.Zero(t, s.Hosts[0].Waiting)
	assert.EqualValues(t, 5, s.Hosts[0].Requests)
}

func TestWaitingIsObserved(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	client, pool := watch(t, server, nil)
	var waits, closes int
	stop := pool.Observe(httppool.Observer{
		Waited: func(string, time.Duration) { waits++ },
		Closed: func(_ string, why httppool.Reason, age time.Duration) {
			closes++
			assert.Equal(t, httppool.CloseIdle, why)
			assert.Positive(t, age)
		},
	})
	get(t, client, server.URL)
	get(t, client, server.URL)
	pool.CloseIdleConnections()
	stop()
	get(t, client, server.URL)
	assert.Equal(t, 2, waits)
	assert.Equal(t, 1, closes)
}

// slow does not answer, but for /fast.
func slow(_ http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/fast" {
		<-r.Context().Done()
	}
}

func TestUnfinished(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	client, pool := watch(t, server, nil)
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	assert.Empty(t, pool.Unfinished(time.Hour))
	left := pool.Unfinished(0)
	require.Len(t, left, 1)
	assert.Contains(t, functions(left[0]), "TestUnfinished")
	require.NoError(t, drain(resp))
	assert.Empty(t, pool.Unfinished(0))
}

func TestABodyThatIsReadIsNotUnfinished(t *testing.T) {
	more := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-more
	}))
	defer server.Close()
	client, pool := watch(t, server, nil)
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- drain(resp) }()
	eventually(t, pool, "a Read", func(s httppool.Snapshot) bool { return len(s.Requests) == 1 && s.Requests[0].Reading })
	assert.Empty(t, pool.Unfinished(0))
	close(more)
	require.NoError(t, <-done)
}

// The caller's trace, context values and request are as without a Pool.
func TestTheCallerSeesNoDifference(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	_, pool := watch(t, server, nil)
	type key struct{}
	var calls []string
	ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), key{}, 1), &httptrace.ClientTrace{
		GetConn:     func(string) { calls = append(calls, "GetConn") },
		ConnectDone: func(string, string, error) { calls = append(calls, "ConnectDone") },
		GotConn: func(info httptrace.GotConnInfo) {
			calls = append(calls, "GotConn")
			assert.IsType(t, (*net.TCPConn)(nil), info.Conn)
		},
		PutIdleConn: func(error) { calls = append(calls, "PutIdleConn") },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	resp, err := pool.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, drain(resp))
	assert.Same(t, req, resp.Request)
	assert.Equal(t, []string{"GetConn", "ConnectDone", "GotConn", "PutIdleConn"}, calls)
}

func TestUpgrade(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, rw)
	}))
	defer server.Close()
	_, pool := watch(t, server, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := pool.RoundTrip(req)
	require.NoError(t, err)
	rw, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok)
	_, err = io.WriteString(rw, "hello")
	require.NoError(t, err)
	got := make([]byte, 5)
	_, err = io.ReadFull(rw, got)
	require.NoError(t, err)
	s := pool.Snapshot()
	require.Len(t, s.Connections, 1)
	assert.True(t, s.Connections[0].Upgraded)
	assert.Equal(t, httppool.Active, s.Connections[0].State)
	require.NoError(t, rw.(interface{ CloseWrite() error }).CloseWrite())
	_, err = rw.Read(got)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, rw.Close())
	assert.Equal(t, map[httppool.Reason]int64{httppool.Caller: 1}, closed(t, pool, 1))
}

// A request that is not sent through the Pool is not seen, and neither is a clone.
func TestOthersAreLeftAlone(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	transport := &http.Transport{}
	pool := httppool.Watch(transport)
	defer pool.CloseIdleConnections()
	clone := transport.Clone()
	defer clone.CloseIdleConnections()
	get(t, &http.Client{Transport: clone}, server.URL)
	get(t, &http.Client{Transport: transport}, server.URL)
	assert.Empty(t, pool.Snapshot().Connections)
	get(t, &http.Client{Transport: pool}, server.URL)
	s := pool.Snapshot()
	require.Len(t, s.Connections, 1, "the connection of the request before is used")
	assert.True(t, s.Connections[0].Unwrapped)
	assert.EqualValues(t, 1, s.Hosts[0].Adopted)
	pool.CloseIdleConnections()
	assert.Empty(t, pool.Snapshot().Connections)
}

// The standard library stands here for a client with a long chain of middleware.
func TestTheCallerIsKnownBelowAChainOfMiddleware(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	_, pool := watch(t, server, nil)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	var chain http.Handler = &httputil.ReverseProxy{Transport: pool, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	for range 35 {
		chain = http.AllowQuerySemicolons(chain)
	}
	go func() { chain.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)) }()
	s := eventually(t, pool, "a request", func(s httppool.Snapshot) bool { return len(s.Requests) == 1 })
	assert.Contains(t, s.Requests[0].Caller().Function, "TestTheCallerIsKnown")
}

// uncomparable is a connection that no map can have as its key.
type uncomparable struct {
	net.Conn
	_ []byte
}

func TestAConnectionThatCannotBeCompared(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return uncomparable{Conn: conn}, err
	}}
	pool := httppool.Watch(transport)
	defer pool.CloseIdleConnections()
	get(t, &http.Client{Transport: transport}, server.URL)
	for range 2 {
		get(t, &http.Client{Transport: pool}, server.URL)
	}
	s := pool.Snapshot()
	require.Len(t, s.Connections, 1)
	assert.Equal(t, 2, s.Connections[0].Uses)
	assert.EqualValues(t, 1, s.Hosts[0].Adopted)
}

func TestDialFails(t *testing.T) {
	pool := httppool.Watch(&http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrClosedPipe },
	})
	_, err := (&http.Client{Transport: pool}).Get("http://shop.test/")
	require.ErrorIs(t, err, io.ErrClosedPipe)
	s := pool.Snapshot()
	assert.Empty(t, s.Connections)
	assert.Empty(t, s.Requests)
	require.Len(t, s.Hosts, 1)
	assert.Equal(t, "shop.test:80", s.Hosts[0].Name)
	assert.EqualValues(t, 1, s.Hosts[0].DialsFailed)
	assert.Empty(t, s.Hosts[0].Closed)
}

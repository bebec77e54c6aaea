package goroutines

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
	"socketlab/internal/where"
)

// library is a stand-in for the list of known packages: these tests are all that is not of one.
func library(function string) bool {
	return !strings.HasPrefix(function, "socketlab/internal/goroutines.") || strings.Contains(function, ".(*")
}

// serve serves what this process says of itself.
func serve(t *testing.T, pools ...*httppool.Pool) *Program {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	if len(pools) > 0 {
		mux.Handle("/debug/connections", httppool.Handler(pools...))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p, err := Open(server.URL, false)
	require.NoError(t, err)
	p.Library = library
	return p
}

func forget(t *testing.T, c *http.Client, url string) {
	resp, err := c.Get(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
}

func await(c *http.Client, url string) {
	resp, err := c.Get(url)
	if err == nil {
		_ = resp.Body.Close()
	}
}

func readOn(c *http.Client, url string) {
	resp, err := c.Get(url)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func readRaw(addr string) {
	c, err := net.Dial("tcp", addr)
	if err == nil {
		_, _ = c.Read(make([]byte, 1))
		_ = c.Close()
	}
}

func dial(ctx context.Context) {
	d := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	if c, err := d.DialContext(ctx, "tcp", "shop.test:80"); err == nil {
		_ = c.Close()
	}
}

// got is how many a report has at a line of a function in a state.
type got map[string]int

func count(r *where.Report) got {
	all := got{}
	for i := range r.Groups {
		g := &r.Groups[i]
		if strings.Contains(g.Site.Function, ".report.") { // which asks for the profile
			continue
		}
		all[g.Site.ShortFunction()+" "+string(g.State)] += g.Count()
	}
	return all
}

func TestReport(t *testing.T) {
	t.Run("with the profile alone", func(t *testing.T) {
		r := report(t, nil, &http.Transport{MaxConnsPerHost: 6}, got{})
		assert.Equal(t, 3, unread(r))
		assert.Contains(t, strings.Join(r.Notes, " "), "Package httppool in the program says it")
	})
	t.Run("with a pool", func(t *testing.T) {
		transport := &http.Transport{MaxConnsPerHost: 6}
		pool := httppool.Watch(transport, httppool.Name("orders"))
		r := report(t, []*httppool.Pool{pool}, pool, got{"goroutines.forget body-not-finished": 3})
		assert.Zero(t, unread(r))
		assert.Contains(t, strings.Join(r.Notes, " "), "Pool orders: in use 6 · idle 0 · waiting 4, the first for ")
	})
}

// unread is of how many connections with an open body no line is known.
func unread(r *where.Report) (n int) {
	for _, u := range r.Unknown {
		if strings.Contains(u.Reason, "no goroutine reads it") {
			n += u.Connections
		}
	}
	return n
}

// report has connections held in all ways, and asks this process until it says so: more is
// what a Pool adds.
func report(t *testing.T, pools []*httppool.Pool, transport http.RoundTripper, more got) *where.Report {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
			<-release
		case "/slow":
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
			<-release
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	t.Cleanup(server.Close)
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	p := serve(t, pools...)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		close(release)
		assert.NoError(t, raw.Close()) // which resets what it has not accepted
		client.CloseIdleConnections()
		wg.Wait()
	})
	for range 3 {
		forget(t, client, server.URL)
	}
	for range 2 {
		wg.Go(func() { await(client, server.URL+"/silent") })
	}
	wg.Go(func() { readOn(client, server.URL+"/slow") })
	wg.Go(func() { readRaw(raw.Addr().String()) })
	wg.Go(func() { dial(ctx) })
	want := got{
		"goroutines.await awaiting-response": 2, "goroutines.readOn reading": 1, "goroutines.readRaw reading": 1, "goroutines.dial dialling": 1,
	}
	maps.Copy(want, more)
	var r *where.Report
	settles := func() {
		t.Helper()
		var last got
		require.Eventually(t, func() bool {
			r, err = p.Report(t.Context())
			if err != nil {
				return false
			}
			last = count(r)
			// The reader of our own connection is in this process, too, and may be about to end.
			return assert.ObjectsAreEqual(want, last) && unread(r) == 3-last["goroutines.forget body-not-finished"]
		}, time.Minute, 10*time.Millisecond, "%v", &last)
	}
	settles()
	for range 4 {
		wg.Go(func() { await(client, server.URL) })
	}
	want["goroutines.await waiting-for-connection"] = 4
	settles()
	for _, g := range r.Groups {
		assert.Contains(t, g.Site.File, "goroutines_test.go")
		assert.Positive(t, g.Site.Line)
		assert.Empty(t, g.Stack)
	}
	return r
}

// What a Pool says of times is added to what the goroutines say.
func TestTimesOfAPool(t *testing.T) {
	now := time.Now()
	frame := runtime.Frame{Function: "main.ask", File: "/src/main.go", Line: 9}
	site := where.Site{Function: "main.ask", File: "/src/main.go", Line: 9}
	waiting := func(ago time.Duration) httppool.Request {
		return httppool.Request{State: httppool.RequestWaiting, Since: now.Add(-ago), Stack: []runtime.Frame{frame}}
	}
	open := func(ago time.Duration) httppool.Request {
		return httppool.Request{State: httppool.RequestBody, Since: now.Add(-ago), Local: "a", Stack: []runtime.Frame{frame}}
	}
	read := open(time.Hour)
	read.Read = now.Add(-time.Second)
	p := &Program{Library: func(string) bool { return false }}
	r := p.report(
		seen{groups: []where.Group{{Site: site, State: where.Queued, Pool: "net/http", Requests: 3}}, bodies: 3},
		[]httppool.Snapshot{{Time: now, Requests: []httppool.Request{
			waiting(time.Second), waiting(4 * time.Second), waiting(5 * time.Second), open(time.Second), open(9 * time.Second), read,
		}}},
	)
	assert.Equal(t, []where.Group{
		{Site: site, State: where.BodyOpen, Pool: "net/http", Connections: 3, OldestMS: 9000, Lasting: 1},
		{Site: site, State: where.Queued, Pool: "net/http", Requests: 3, OldestMS: 5000, Lasting: 2},
	}, r.Groups)
	assert.Empty(t, r.Unknown)
	assert.Equal(t, 3, r.Connections)
}

func TestOnlyThisMachineIsAsked(t *testing.T) {
	p, err := Open("http://192.0.2.1:6060/debug/pprof/", false)
	require.NoError(t, err)
	_, err = p.Report(t.Context())
	require.ErrorIs(t, err, errRemote)
	redirects := httptest.NewServer(http.RedirectHandler("http://192.0.2.1/", http.StatusFound))
	defer redirects.Close()
	p, err = Open(redirects.URL, false)
	require.NoError(t, err)
	_, err = p.Report(t.Context())
	require.ErrorContains(t, err, "302 Found")
}

func TestWhatIsNoProfile(t *testing.T) {
	for _, address := range []string{"127.0.0.1:6060", "ftp://127.0.0.1", "http://", ":"} {
		_, err := Open(address, false)
		require.Error(t, err, address)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer server.Close()
	p, err := Open(server.URL, false)
	require.NoError(t, err)
	_, err = p.Report(t.Context())
	require.ErrorContains(t, err, `"<html>" is not how a goroutine profile begins`)
}

func TestAddresses(t *testing.T) {
	for given, want := range map[string][2]string{
		"http://127.0.0.1:6060":                          {"http://127.0.0.1:6060/debug/pprof/goroutine?debug=1", "http://127.0.0.1:6060/debug/connections?format=json"},
		"http://127.0.0.1:6060/debug/pprof/":             {"http://127.0.0.1:6060/debug/pprof/goroutine?debug=1", "http://127.0.0.1:6060/debug/connections?format=json"},
		"http://[::1]/admin/debug/pprof/goroutine?x=1#y": {"http://[::1]/admin/debug/pprof/goroutine?debug=1", "http://[::1]/admin/debug/connections?format=json"},
	} {
		p, err := Open(given, false)
		require.NoError(t, err)
		assert.Equal(t, want, [2]string{p.source.goroutines, p.source.connections}, given)
	}
}

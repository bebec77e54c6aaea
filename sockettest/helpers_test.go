package sockettest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// fake is a test that may fail without anybody failing.
type fake struct {
	failures []string
	cleanups []func()
}

func (f *fake) Helper()          {}
func (f *fake) Name() string     { return "TestX" }
func (f *fake) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fake) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

// play runs body as a test with a check, and returns its failure; "" is none.
func play(t *testing.T, body func(TB), options ...Option) string {
	t.Helper()
	f := &fake{}
	Check(f, options...)
	require.Empty(t, f.failures, "the check could not begin")
	body(f)
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
	require.LessOrEqual(t, len(f.failures), 1, "a failure is one error")
	if len(f.failures) == 0 {
		return ""
	}
	t.Log(f.failures[0])
	return f.failures[0]
}

// soon is for tests in which sockets are left.
var soon = Within(50 * time.Millisecond)

// through makes a check look through a source of its own choice.
func through(source string) Option { return func(c *config) { c.source = source } }

// everySource runs a test through each source: with the other one it is not known
// which goroutine waits for which socket, as on systems other than Linux.
func everySource(t *testing.T, test func(t *testing.T, source Option)) {
	for _, name := range []string{socketstats.Auto, "gopsutil"} {
		t.Run(name, func(t *testing.T) { test(t, through(name)) })
	}
}

// serve starts a server that is there before the check, and ends with the test. It
// answers with so many bytes.
func serve(t *testing.T, bytes int) *httptest.Server {
	s := httptest.NewServer(answer(bytes))
	t.Cleanup(s.Close)
	return s
}

func answer(bytes int) http.Handler {
	body := make([]byte, bytes)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

// transport returns a transport that the check is not told of.
func transport(t *testing.T) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// fetch makes a request as one should.
func fetch(t *testing.T, c *http.Client, url string) {
	t.Helper()
	require.NoError(t, fetchAll(c, url))
}

func fetchAll(c *http.Client, url string) error {
	resp, err := c.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = discard(resp.Body)
	return err
}

// keep fetches until the connection is idle in the pool. net/http closes one whose request is
// still being written 50 ms after the response (maxWriteWaitBeforeConnReuse), which happens
// where a machine is busy.
func keep(t *testing.T, c *http.Client, url string) {
	t.Helper()
	for pooled := false; !pooled; {
		var conn net.Conn
		put := make(chan error, 1)
		trace := &httptrace.ClientTrace{
			GotConn:     func(got httptrace.GotConnInfo) { conn = got.Conn },
			PutIdleConn: func(err error) { put <- err },
		}
		request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		resp, err := c.Do(request)
		require.NoError(t, err)
		_, err = discard(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		tick := time.NewTicker(time.Millisecond)
		for closed := false; !pooled && !closed; {
			select {
			case err := <-put:
				require.NoError(t, err)
				pooled = true
			case <-tick.C:
				closed = conn.SetDeadline(time.Time{}) != nil
			}
		}
		tick.Stop()
	}
}

// leak makes a request and forgets the body, which is closed when the test is over.
func leak(t *testing.T, c *http.Client, url string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
}

// listen returns a listener that the test ends.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// accept accepts everything, and closes it when the test is over, but for what
// then is handed to each.
func accept(t *testing.T, l net.Listener, each func(net.Conn)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			each(conn)
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// listed waits until the list shows a socket of this process for which is holds.
func listed(t *testing.T, is func(socketstats.Socket) bool) {
	t.Helper()
	source, err := openSource(socketstats.Auto)
	require.NoError(t, err)
	if closer, ok := source.(interface{ Close() error }); ok {
		defer closer.Close()
	}
	require.Eventually(t, func() bool {
		sockets, err := list(source, nil, false)
		require.NoError(t, err)
		return slices.ContainsFunc(sockets, is)
	}, time.Minute, time.Millisecond)
}

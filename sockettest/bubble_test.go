package sockettest

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBodiesLeftInABubbleAreNamed(t *testing.T) {
	for name, serveIn := range map[string]func(*testing.T, http.Handler) (*http.Client, string){"loopback": onLoopback, "in memory": serveInMemory} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				client, url := serveIn(t, answer(1<<20))
				Check(f, soon)
				require.Empty(t, f.failures)
				var bodies []*http.Response
				for range 20 {
					resp, err := client.Get(url)
					require.NoError(t, err)
					bodies = append(bodies, resp)
				}
				fetch(t, client, url) // a healthy one beside them
				f.end()
				require.Len(t, f.failures, 1)
				require.Regexp(t, "^sockettest: TestX left 20 (sockets|connections) open:\n  20 connections .*", f.failures[0])
				require.Contains(t, f.failures[0], "held by response bodies that were not closed: call resp.Body.Close() after each request")
				for _, resp := range bodies {
					resp.Body.Close()
				}
			})
		})
	}
}

// end runs the cleanups of a test.
func (f *fake) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	f.cleanups = nil
}

// onLoopback serves on real sockets, which a bubble's clock waits for.
func onLoopback(t *testing.T, h http.Handler) (*http.Client, string) {
	l := listen(t)
	return serveOn(t, h, l, &http.Transport{}), "http://" + l.Addr().String()
}

func serveOn(t *testing.T, h http.Handler, l net.Listener, tr *http.Transport) *http.Client {
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		server.Close()
		<-done
	})
	return &http.Client{Transport: tr}
}

func TestHealthyKeepAlivesInABubbleAreNoLeak(t *testing.T) {
	for name, serveIn := range map[string]func(*testing.T, http.Handler) (*http.Client, string){"loopback": onLoopback, "in memory": serveInMemory} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				client, url := serveIn(t, answer(13))
				Check(f)
				for range 5 {
					fetch(t, client, url)
				}
				f.end()
				require.Empty(t, f.failures)
			})
		})
	}
}

// What a timer ends soon is waited for by the bubble's clock, at no cost.
func TestTimersOfABubbleGoOnWhileACheckWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		Check(f)
		client, url := serveInMemory(t, answer(1<<20))
		resp, err := client.Get(url)
		require.NoError(t, err)
		time.AfterFunc(500*time.Millisecond, func() { resp.Body.Close() })
		began := time.Now()
		f.end()
		require.Empty(t, f.failures)
		require.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond, "of the bubble's clock")
	})
}

func TestLimitsAreRefusedInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		Check(f, MaxOpen(1))
		require.Len(t, f.failures, 1)
		require.Contains(t, f.failures[0], "MaxOpen and MaxOpened count by the real clock")
	})
}

func TestInMemoryConnectionsOutsideABubble(t *testing.T) {
	failure := play(t, func(TB) {
		client, url := serveInMemory(t, answer(1<<20))
		for range 3 {
			leak(t, client, url)
		}
		fetch(t, client, url)
	}, soon)
	require.Contains(t, failure, "TestX left 3 connections open:\n  3 connections in memory (net.Pipe, httptest.NewTestServer) are held by response bodies")
	require.Equal(t, 3, strings.Count(failure, "\n    the connection of goroutine "))
	require.Empty(t, play(t, func(TB) {
		client, url := serveInMemory(t, answer(13))
		fetch(t, client, url)
	}, soon))
}

func TestRequestsThatWaitInMemoryAreLeft(t *testing.T) {
	release := make(chan struct{})
	done := make(chan struct{})
	failure := play(t, func(TB) {
		client, url := serveInMemory(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		waits := make(chan struct{})
		client.Transport = tells{client.Transport.(*http.Transport), waits}
		go func() { defer close(done); _ = fetchAll(client, url) }()
		<-waits
		require.Eventually(t, func() bool {
			for _, r := range readStacks().readers {
				if r.does == respondsInMemory {
					return true
				}
			}
			return false
		}, time.Minute, time.Millisecond)
	}, soon)
	close(release)
	<-done
	require.Contains(t, failure, "1 connection in memory (net.Pipe, httptest.NewTestServer) waits for the response to a request")
}

// tells says when a request begins.
type tells struct {
	*http.Transport
	begun chan struct{}
}

func (t tells) RoundTrip(r *http.Request) (*http.Response, error) {
	close(t.begun)
	return t.Transport.RoundTrip(r)
}

func TestFindSaysWhatIsLeft(t *testing.T) {
	server := serve(t, 1<<20)
	client := &http.Client{Transport: transport(t)}
	before := IgnoreCurrent()
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	found := Find(before, soon)
	require.ErrorContains(t, found, "sockettest: this process left 1 socket open:\n  1 connection is held by response bodies")
	require.NotContains(t, found.Error(), "listener")
	require.ErrorContains(t, Find(soon), "1 listener was not closed", "of all that is there")
	resp.Body.Close()
	server.Close()
	require.NoError(t, Find())
}

func TestFindThatCannotLookSaysSo(t *testing.T) {
	require.ErrorContains(t, Find(through("nonsense")), "the sockets of this process cannot be identified")
}

func TestParallelTestsAreRefused(t *testing.T) {
	refused := func(t *testing.T) []string {
		f := &fakeOf{T: t}
		Check(f)
		f.end()
		return f.failures
	}
	t.Run("alone", func(t *testing.T) {
		require.Empty(t, refused(t))
	})
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		failures := refused(t)
		require.Len(t, failures, 1)
		require.Contains(t, failures[0], "runs beside other tests (t.Parallel)")
		t.Run("in a subtest", func(t *testing.T) {
			require.Len(t, refused(t), 1)
		})
	})
	t.Run("after", func(t *testing.T) {
		f := &fakeOf{T: t}
		Check(f)
		require.Empty(t, f.failures)
		t.Parallel()
		f.end()
		require.Len(t, f.failures, 1)
		require.Contains(t, f.failures[0], "runs beside other tests (t.Parallel)")
	})
}

// fakeOf is a test of which failures are kept.
type fakeOf struct {
	*testing.T
	fake
}

func (f *fakeOf) Helper()                           {}
func (f *fakeOf) Name() string                      { return f.T.Name() }
func (f *fakeOf) Cleanup(c func())                  { f.fake.Cleanup(c) }
func (f *fakeOf) Errorf(format string, args ...any) { f.fake.Errorf(format, args...) }

package sockettest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"socketlab/internal/socketstats"
)

var (
	_ TB = (*testing.T)(nil)
	_ TB = (*testing.B)(nil)
	_ TB = (*testing.F)(nil)
	_ M  = (*testing.M)(nil)
)

func TestACheckThatCannotLookFails(t *testing.T) {
	f := &fake{}
	Check(f, through("nonsense"))
	require.Len(t, f.failures, 1)
	require.Contains(t, f.failures[0], "the sockets of this process cannot be identified")
	require.Contains(t, f.failures[0], "leave it out on this system")
	require.Empty(t, f.cleanups)
}

// blind lists nothing of this process's, as in a sandbox without owners.
type blind struct{ socketstats.Source }

func (b blind) Sockets(ctx context.Context, q socketstats.Query) ([]socketstats.Socket, error) {
	q.Owners = false
	return b.Source.Sockets(ctx, q)
}

func TestASourceThatDoesNotTellOwnersIsRefused(t *testing.T) {
	source := socketstats.Gopsutil{}
	require.NoError(t, prove(source))
	require.ErrorContains(t, prove(blind{source}), "does not show a listener that this process holds")
}

func TestNothingOfTheCheckStays(t *testing.T) {
	address := echo(t)
	already := goleak.IgnoreCurrent()
	require.Empty(t, play(t, func(TB) { touch(t, address) }, MaxOpen(5), MaxOpened(5)))
	require.EventuallyWithT(t, func(c *assert.CollectT) { // it waits for half a second by itself
		assert.NoError(c, goleak.Find(already))
	}, time.Minute, time.Millisecond)
}

// What issue 37 of uber-go/goleak is about: its check reports the goroutines of a
// healthy idle connection.
func TestGoleaksIssue37(t *testing.T) {
	server := serve(t, 13)
	client := &http.Client{Transport: transport(t)}
	already := goleak.IgnoreCurrent()
	require.Empty(t, play(t, func(TB) {
		fetch(t, client, server.URL)
		require.ErrorContains(t, goleak.Find(already), "net/http.(*persistConn).readLoop")
	}, soon))
}

func TestParallelSubtestsMayBeInside(t *testing.T) {
	server := serve(t, 13)
	t.Run("parent", func(t *testing.T) {
		Check(t)
		for _, name := range []string{"one", "two"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				fetch(t, http.DefaultClient, server.URL)
			})
		}
	})
}

// A handler in this process that is a client itself.
func TestALeakInAHandlerIsFound(t *testing.T) {
	upstream := serve(t, 1<<20)
	client := &http.Client{Transport: transport(t)}
	failure := play(t, func(tb TB) {
		proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			leak(t, client, upstream.URL)
		}))
		tb.Cleanup(proxy.Close)
		fetch(t, http.DefaultClient, proxy.URL)
	}, soon)
	require.Contains(t, failure, "TestX left 1 socket open:\n")
	require.Contains(t, failure, " -> "+upstream.Listener.Addr().String())
}

func serveHTTP2(t *testing.T, h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestAnIdleHTTP2ConnectionIsHealthy(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		server := serveHTTP2(t, answer(13))
		require.Empty(t, play(t, func(TB) {
			fetch(t, server.Client(), server.URL)
			// Its end came with its beginning, and the connection is idle although
			// nobody has read it.
			leak(t, server.Client(), server.URL)
		}, source))
	})
}

func TestAnHTTP2BodyThatIsNotClosedIsALeak(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		over := make(chan struct{})
		server := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			<-over
		}))
		failure := play(t, func(TB) {
			leak(t, server.Client(), server.URL)
			leak(t, server.Client(), server.URL)
		}, soon, source)
		close(over)
		require.Contains(t, failure, "TestX left 1 socket open:\n")
		require.Contains(t, failure, " -> "+server.Listener.Addr().String())
		require.Contains(t, failure, "1 connection has HTTP/2 requests that have not ended")
	})
}

// A request over HTTP/2 that was there before says nothing of new connections.
func TestAnHTTP2BodyFromBeforeIsNotTheCause(t *testing.T) {
	over := make(chan struct{})
	before := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-over
	}))
	leak(t, before.Client(), before.URL)
	server := serveHTTP2(t, answer(13))
	require.Empty(t, play(t, func(TB) { fetch(t, server.Client(), server.URL) }))
	close(over)
}

// BenchmarkCheck is what a check costs a test that does nothing.
func BenchmarkCheck(b *testing.B) {
	for name, options := range map[string][]Option{
		"leaks": nil, "at once": {MaxOpen(0)}, "in all": {MaxOpen(0), MaxOpened(0)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c, err := begin(b.Name(), options)
				require.NoError(b, err)
				require.Empty(b, c.end())
			}
		})
	}
}

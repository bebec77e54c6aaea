package loadgen

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.uber.org/goleak"
	"socketlab/internal/series"
)

// soon is how long a test waits for what must happen: long enough for a busy
// machine, as no test measures against it.
const soon = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(leakCheck{m}) }

// leakCheck counts descriptors where goleak counts goroutines. It waits for
// both: net/http holds a connection for half a second after it closed it for
// writing (rstAvoidanceDelay), which is longer than goleak waits.
type leakCheck struct{ *testing.M }

func (c leakCheck) Run() int {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // the runtime has its own descriptors for its poller from now on
	}
	before := descriptors()
	code := c.M.Run()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); {
		if goleak.Find() == nil && len(descriptors()) <= len(before) {
			return code
		}
	}
	if after := descriptors(); len(after) > len(before) {
		fmt.Fprintf(os.Stderr, "descriptors before the tests:\n%q\nand after:\n%q\n", before, after)
		return 1
	}
	return code
}

// descriptors lists what the process has open.
func descriptors() []string {
	names, _ := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil { // not the one it was listed with
			open = append(open, target)
		}
	}
	slices.Sort(open)
	return open
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// oneByOne makes n requests, each after the end of the one before.
func oneByOne(c Caller, n int) *counters {
	b := newCounters()
	for range n {
		b.sent.Add(1)
		b.call(context.Background(), c, time.Now())
	}
	return b
}

// conns are a client's connections, all of them counted.
func conns(opened, reused, failed, stale int64) *series.ClientConns {
	return &series.ClientConns{Opened: opened, Reused: &reused, Failed: &failed, StaleReuse: &stale}
}

// play plays the whole load and waits until every request has ended.
func play(t testing.TB, c Caller, arrivals []time.Duration) Report {
	t.Helper()
	p := Begin(c, arrivals, 0)
	p.Play(context.Background())
	return ended(t, p)
}

// ended waits until no request of a load is in flight.
func ended(t testing.TB, p *Player) Report {
	t.Helper()
	eventually(t, "no request is in flight", func() bool { return p.Report().Requests.InFlight == 0 })
	return p.Report()
}

// serve starts a server that is closed with the test.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func answer(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "answer") }

// transport returns a Transport whose idle connections are closed with the test.
func transport(t testing.TB, tr *http.Transport) *http.Transport {
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// get returns a caller that does everything right, over c.
func get(c *http.Client, url string) CallerFunc {
	return func(ctx context.Context) error {
		return (&plain{url: url, http: c}).Call(ctx)
	}
}

// raw starts a listener and hands each connection to serve, which closes it or
// leaves that to the end of the test.
func raw(t testing.TB, serve func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	var conns []net.Conn
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			serve(conn.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, conn := range conns {
			conn.Close()
		}
	})
	return l.Addr().String()
}

// collect runs collections until condition holds.
func collect(t testing.TB, what string, condition func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return condition()
	})
}

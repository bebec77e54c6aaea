package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter() // a neighbour may have ten thousand sockets, which each look at the tables reads
	goleak.VerifyTestMain(patient{m})
}

// patient waits, when the tests are done, for what ends by itself: net/http holds a
// connection for half a second after it closed it for writing (rstAvoidanceDelay),
// which is longer than goleak waits; and a lookup that was given up goes on without
// its caller, with a socket and two goroutines, until resolv.conf's timeout (5 s), as
// only a deadline ends its read (dnsPacketRoundTrip in net/dnsclient_unix.go).
type patient struct{ *testing.M }

func (p patient) Run() int {
	code := p.M.Run()
	for deadline := time.Now().Add(soon); goleak.Find() != nil && time.Now().Before(deadline); {
	}
	return code
}

// soon is how long a test waits for what must happen: long enough for a busy
// machine, as no test measures against it.
const soon = time.Minute

// forever is a delay that no test waits for.
const forever = scenario.Duration(time.Hour)

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// running is a server at work.
type running struct {
	*Server
	addr     string
	listener net.Listener
	log      *logBuffer
	// stop ends the server and returns what Serve returned, each time; ended
	// waits until it ends by itself.
	stop, ended func() error
	http        *http.Client
}

// start starts a server that is stopped with the test.
func start(t testing.TB, b scenario.Server, changes ...func(*Config)) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	log := &logBuffer{}
	cfg := Config{Behaviour: b, Log: slog.New(slog.NewJSONHandler(log, nil))}
	for _, change := range changes {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	r := &running{Server: New(cfg), addr: l.Addr().String(), listener: l, log: log}
	go func() { served <- r.Serve(ctx, l) }()
	r.ended = sync.OnceValue(func() error {
		select {
		case err := <-served:
			return err
		case <-time.After(soon):
			t.Error("Serve does not return")
			return nil
		}
	})
	r.stop = func() error {
		cancel()
		return r.ended()
	}
	transport := &http.Transport{}
	r.http = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = r.stop()
	})
	return r
}

// peers are servers without names.
func peers(addrs ...string) []Peer {
	var list []Peer
	for _, addr := range addrs {
		list = append(list, Peer{Addr: addr})
	}
	return list
}

// get makes one request, and returns the answer with its body read.
func (r *running) get(t testing.TB) (*http.Response, string) {
	t.Helper()
	resp, err := r.http.Get("http://" + r.addr)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// working waits until the server works on n requests.
func (r *running) working(t testing.TB, n int64) {
	t.Helper()
	eventually(t, "the number of requests in progress is what it should be", func() bool { return r.InProgress() == n })
}

// answered waits until the server has counted n answers: it counts one after
// sending it.
func (r *running) answered(t testing.TB, n int64) {
	t.Helper()
	eventually(t, "the number of answers is what it should be", func() bool { return r.work.answered.Load() == n })
}

// dial opens a connection that is closed with the test, and whose reads and
// writes end at last.
func (r *running) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
	t.Cleanup(func() { conn.Close() })
	return conn
}

const request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

func send(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
}

// logBuffer keeps what a server logs as JSON.
type logBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	return len(p), nil
}

// lines returns the log's lines with this message.
func (b *logBuffer) lines(t testing.TB, message string) []map[string]any {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []map[string]any
	for line := range bytes.Lines(b.data) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal(line, &fields))
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

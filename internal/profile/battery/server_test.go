package battery_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

func values(t *testing.T, p *profile.Profile) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for id, v := range p.Values {
		texts[id] = v.String()
	}
	_, err := p.YAML()
	require.NoError(t, err, "each value is of a question of servers")
	return texts
}

// near allows for a machine that is busy with other tests: no time is too short, and none
// is as long as that of another setting.
func near(t *testing.T, p *profile.Profile, id string, want time.Duration) {
	t.Helper()
	v, ok := p.Value(id)
	require.True(t, ok, "%s: %s", id, p.NotMeasured[id])
	require.Equal(t, profile.Exact, v.Bound, id)
	require.InDelta(t, (want + 400*time.Millisecond).Seconds(), v.Time.Seconds(), 0.5, id)
}

// onTime measures a server. Of a machine on which a timer comes later than the times of the
// servers here differ, the result says nothing: then it measures again.
func onTime(t *testing.T, b battery.ServerBattery) *profile.Profile {
	t.Helper()
	for again := 0; ; again++ {
		latest := timers()
		p, err := b.Measure(t.Context())
		require.NoError(t, err)
		late := latest()
		if late < 200*time.Millisecond || again == 5 {
			return p
		}
		t.Logf("it is measured again: a timer came %s late", late.Round(time.Millisecond))
	}
}

// timers watches how late timers come, until latest is called, which returns the most.
func timers() (latest func() time.Duration) {
	over, most := make(chan struct{}), make(chan time.Duration)
	go func() {
		var late time.Duration
		for {
			due := time.Now().Add(10 * time.Millisecond)
			select {
			case <-over:
				most <- late
				return
			case <-time.After(time.Until(due)):
				late = max(late, time.Since(due))
			}
		}
	}()
	return func() time.Duration { close(over); return <-most }
}

func TestServerStartedByACommand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p := onTime(t, battery.ServerBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=graceful exec '" + self + "'"},
		Slow:    "/slow", Read: "/read",
	})
	near(t, p, "idle_timeout", 1500*time.Millisecond)
	near(t, p, "header_timeout", time.Second)
	near(t, p, "body_timeout", 3*time.Second)
	got := values(t, p)
	for id, want := range map[string]string{
		"idle_timeout_how": "fin", "header_timeout_how": "fin", "keepalive_header": "never",
		"requests_per_connection": "> 1100", "connection_limit": "> 600", "early_answer": "closed",
		"half_close": "answered", "pipelining": "answered", "h2": "no",
		"sigterm_request": "answered", "sigterm_idle": "served", "sigterm_newcomer": "served, refused",
	} {
		require.Equal(t, want, got[id], "%s: %v %s", id, p.Seen[id], p.NotMeasured[id])
	}
	require.Equal(t, profile.Exact, p.Values["sigterm_exit"].Bound)
}

func TestServerThatHandlesSIGTERMLate(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p := onTime(t, battery.ServerBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=late exec '" + self + "'"},
		Slow:    "/slow", Read: "/read",
	})
	got := values(t, p)
	for id, want := range map[string]string{"sigterm_request": "answered", "sigterm_idle": "closed", "sigterm_newcomer": "refused"} {
		require.Equal(t, want, got[id], "%s: %v %s", id, p.Seen[id], p.NotMeasured[id])
	}
}

// What one connection got that waited long is not what others got that came meanwhile.
func TestServerThatHoldsOneConnectionAfterSIGTERM(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p := onTime(t, battery.ServerBattery{
		Program: battery.Program{Command: "BATTERY_TEST_PROGRAM=holding exec '" + self + "'"},
		Slow:    "/slow", Read: "/read",
	})
	got := values(t, p)
	require.Equal(t, "refused", got["sigterm_newcomer"], "%v", p.Seen["sigterm_newcomer"])
	require.Equal(t, "answered", got["sigterm_request"], "%v", p.Seen["sigterm_request"])
	require.Contains(t, strings.Join(p.Seen["sigterm_newcomer"], "\n"), "closed 0.", "the one that was held was seen")
}

func TestServerThatRunsAlready(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(nil)
	s.Config = timed()
	s.Start()
	defer s.Close()
	p := onTime(t, battery.ServerBattery{Addr: s.Listener.Addr().String(), Slow: "/", Read: "/"})
	near(t, p, "idle_timeout", 1500*time.Millisecond)
	require.Contains(t, p.NotMeasured["sigterm_request"], "only a process that sockwatch started")
	require.Contains(t, p.NotMeasured["half_close_slow"], "--slow")
	require.Contains(t, p.NotMeasured["body_timeout"], "before the request is whole")
}

// scripted serves raw TCP: each connection is answered as the function says, until it
// returns.
func scripted(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			}()
		}
	}()
	return l.Addr().String()
}

// A server that cuts the answers of two half-closed connections of a hundred, as one does in
// which the answer and the FIN race.
func TestServerThatCutsSomeHalfClosedConnections(t *testing.T) {
	t.Parallel()
	var halves atomic.Int64
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := r.Peek(1); errors.Is(err, io.EOF) {
			if n := halves.Add(1) % 110; n == 40 || n == 80 { // of each measurement
				return
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	})
	p := onTime(t, battery.ServerBattery{Addr: addr})
	require.Equal(t, "answered", values(t, p)["half_close"], p.Seen["half_close"])
	require.Equal(t, []string{
		"0 of 10 cut with the FIN in the segment of the request: 200 OK", "2 of 100 cut with the FIN in a segment of its own",
	}, p.Seen["half_close"])
}

// A server of which the RST overtakes an early answer twice, and of which one process ends with
// a connection, as some do after so many requests.
func TestServerThatResetsSomeConnections(t *testing.T) {
	t.Parallel()
	var posts, gets atomic.Int64
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		reset := func() { _ = c.(*net.TCPConn).SetLinger(0) }
		for {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			request, err := http.ReadRequest(r)
			switch {
			case err != nil:
				return
			case request.Method == http.MethodPost && posts.Add(1) <= 2, gets.Add(1) == 1500: // during the search for a limit
				reset()
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			if request.Method == http.MethodPost {
				return
			}
		}
	})
	p := onTime(t, battery.ServerBattery{Addr: addr})
	got := values(t, p)
	require.GreaterOrEqual(t, posts.Load(), int64(3))
	require.GreaterOrEqual(t, gets.Load(), int64(1500))
	require.Equal(t, "closed", got["early_answer"], p.NotMeasured["early_answer"])
	require.Equal(t, "> 600", got["connection_limit"], p.Seen["connection_limit"])
}

// A server that neither answers nor closes a half-closed connection is waited for once, and
// not for each of a hundred.
func TestServerThatLeavesHalfClosedConnectionsOpen(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 12 s")
	}
	t.Parallel()
	halves := make(chan struct{}, 1000)
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		for {
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
			if _, err := r.Peek(1); errors.Is(err, io.EOF) {
				halves <- struct{}{}
				<-t.Context().Done()
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	p, err := battery.ServerBattery{Addr: addr}.Measure(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"1 of 1 cut with the FIN in the segment of the request: no answer in time"}, p.Seen["half_close"])
	require.Equal(t, "cut", values(t, p)["half_close"])
	require.LessOrEqual(t, len(halves), 2, "half_close, and half_close_slow if it was tried")
}

// A server that sees a FIN only while it waits for what it answers, as nginx does that looks
// for one from its first write on.
func TestServerThatSeesALateFINAlone(t *testing.T) {
	t.Parallel()
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if request.URL.Path == "/slow" {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, early := r.Peek(1)
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
			if !errors.Is(early, io.EOF) {
				if _, late := r.Peek(1); errors.Is(late, io.EOF) {
					return
				}
			} else {
				time.Sleep(2 * time.Second)
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	})
	p := onTime(t, battery.ServerBattery{Addr: addr, Slow: "/slow"})
	require.Equal(t, []string{"FIN in the segment of the request: 200 OK", "FIN 0.3 s after the request: the connection was closed"}, p.Seen["half_close_slow"])
	require.Equal(t, "cut", values(t, p)["half_close_slow"])
}

// A server that says 2 s and closes after 1, by RST, takes 5 requests a connection, and
// answers what is not whole within 2 s with 408.
func TestServerThatSaysWhatIsNotTrue(t *testing.T) {
	t.Parallel()
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		for n := 1; ; n++ {
			wait := time.Second
			if n == 1 { // more than the second within which an answer is taken for an early one
				wait *= 2
			}
			_ = c.SetReadDeadline(time.Now().Add(wait))
			request, err := http.ReadRequest(r)
			if err == nil && request.ContentLength > 0 {
				_, err = io.Copy(io.Discard, request.Body)
			}
			if err != nil && (n == 1 || request != nil) {
				_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			if err != nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				return
			}
			keep := "Keep-Alive: timeout=2\r\n"
			if !strings.EqualFold(request.Header.Get("Connection"), "keep-alive") {
				keep = ""
			}
			if n == 5 || request.Close {
				keep = "Connection: close\r\n"
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+keep+"Content-Length: 2\r\n\r\nok")
			if n == 5 || request.Close {
				return
			}
		}
	})
	p := onTime(t, battery.ServerBattery{Addr: addr, Slow: "/slow", Read: "/read"})
	near(t, p, "idle_timeout", time.Second)
	got := values(t, p)
	for id, want := range map[string]string{
		"idle_timeout_how": "rst", "header_timeout_how": "408", "body_timeout_how": "408",
		"keepalive_header": "on_request", "keepalive_header_says": "2.0s", "keepalive_header_true": "closes_earlier",
		"requests_per_connection": "5", "early_answer": "no",
	} {
		require.Equal(t, want, got[id], "%s: %v %s", id, p.Seen[id], p.NotMeasured[id])
	}
}

// A head without an end is not kept in memory for as long as it comes.
func TestServerThatTakesItsTimeIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(400 * time.Millisecond) }))
	t.Cleanup(server.Close)
	_, err := battery.ServerBattery{Addr: server.Listener.Addr().String()}.Measure(t.Context())
	require.ErrorContains(t, err, "the server must answer it within 350ms")
}

func TestServerWhoseHeadDoesNotEnd(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"", "HTTP/1.1 200 OK\r\nX: "} {
		addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
			_, err := http.ReadRequest(r)
			_, _ = io.WriteString(c, begin)
			for part := strings.Repeat("x", 1<<20); err == nil; {
				_, err = io.WriteString(c, part)
			}
		})
		_, err := battery.ServerBattery{Addr: addr, Slow: "/slow", Read: "/read"}.Measure(t.Context())
		require.ErrorContains(t, err, "the head has more than 1048576 bytes")
	}
}

func TestServerOfFewConnectionsAtOnce(t *testing.T) {
	t.Parallel()
	places := make(chan struct{}, 3)
	addr := scripted(t, func(c net.Conn, r *bufio.Reader) {
		places <- struct{}{}
		defer func() { <-places }()
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			if request.Close {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		}
	})
	p := onTime(t, battery.ServerBattery{Addr: addr, Slow: "/slow", Read: "/read"})
	require.Contains(t, p.NotMeasured["idle_timeout"], "beside connections that are held")
	got := values(t, p)
	require.Equal(t, "3", got["connection_limit"], "%v", p.NotMeasured)
	require.Equal(t, "waits", got["connection_limit_next"])
}

func TestProgramThatDoesNotStartSaysWhatItSaid(t *testing.T) {
	t.Parallel()
	_, err := battery.ServerBattery{Program: battery.Program{Command: "echo no such file >&2; exit 3"}}.Measure(t.Context())
	require.ErrorContains(t, err, "ended before it answered")
	require.ErrorContains(t, err, "no such file")
}

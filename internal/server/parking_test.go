package server

import (
	"io"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// longer is a delay that is long enough to park a request.
const longer = scenario.Duration(parkFrom + 50*time.Millisecond)

// unparked keeps a server from parking requests, and changes nothing else.
var unparked = WriteTimeoutKey.Is(forever)

// areParked waits until a server keeps n requests without a goroutine.
func (r *running) areParked(t *testing.T, n int) {
	t.Helper()
	if !canPark {
		t.Skip("requests are parked on Linux only")
	}
	eventually(t, "requests are parked", func() bool {
		r.conns.mu.Lock()
		defer r.conns.mu.Unlock()
		parked := 0
		for _, c := range r.conns.open {
			if c.cut.Load() != nil {
				parked++
			}
		}
		return parked == n
	})
}

var date = regexp.MustCompile(`Date: [^\r]*`)

// everything sends what a client says, ends its half where half is set, and returns all
// that the server sends until it closes the connection.
func (r *running) everything(t *testing.T, half bool, says ...string) string {
	t.Helper()
	conn := r.dial(t)
	for _, text := range says {
		send(t, conn, text)
		time.Sleep(20 * time.Millisecond) // to be read on its own, if the machine is not busy
	}
	if half {
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	}
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	return date.ReplaceAllString(string(got), "Date: D")
}

// In all cases the connection ends with the last request.
func TestParkedRequestsAreAnsweredWithTheSameBytes(t *testing.T) {
	t.Parallel()
	const last = "GET /last HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
	delayed := scenario.Server{}.With(DelayKey.Is(longer), IdleTimeoutKey.Is(seconds(30)), CloseAfterKey.Is(9))
	tests := map[string]struct {
		b    scenario.Server
		says []string
		half bool
	}{
		"a close":                     {delayed, []string{last}, false},
		"one after the other":         {delayed, []string{request, last}, false},
		"ahead, in one packet":        {delayed, []string{request + request + last}, false},
		"ahead, in the middle":        {delayed, []string{request + "GET / HT", "TP/1.1\r\nHost: test\r\n\r\n" + last}, false},
		"HTTP/1.0":                    {delayed, []string{"GET / HTTP/1.0\r\n\r\n"}, false},
		"HTTP/1.0 and kept alive":     {delayed, []string{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}, false},
		"HTTP/1.0 and both":           {delayed, []string{"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}, false},
		"HEAD":                        {delayed, []string{"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n", last}, false},
		"OPTIONS":                     {delayed, []string{"OPTIONS / HTTP/1.1\r\nHost: test\r\n\r\n", last}, false},
		"OPTIONS of the server":       {delayed, []string{"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", last}, false},
		"an unknown method":           {delayed, []string{"FETCH / HTTP/1.1\r\nHost: test\r\n\r\n", last}, false},
		"POST":                        {delayed, []string{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhe", "llo" + last}, false},
		"POST of an old client":       {delayed, []string{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello\r\n", last}, false},
		"POST in chunks":              {delayed, []string{"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "0\r\n\r\n" + last}, false},
		"POST that waits for a 100":   {delayed, []string{"POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "hello" + last}, false},
		"a broken chunk":              {delayed, []string{"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n"}, true},
		"a broken request after it":   {delayed, []string{request, "nonsense\r\n\r\n"}, false},
		"the limit of requests":       {delayed.With(CloseAfterKey.Is(2)), []string{request + request + request}, false},
		"one request at most":         {delayed.With(CloseAfterKey.Is(1)), []string{request}, false},
		"a client that sends no more": {delayed.With(DelayKey.Is(forever)), []string{request}, true}, // that ends the delay
		"no content":                  {delayed.With(StatusKey.Is(204)), []string{request, last}, false},
		"a large body":                {delayed.With(BodyKey.Is(1 << 20)), []string{request, last}, false},
		"broken answers":              {delayed.With(ResponsesKey.Is([]string{wayWhole, wayCut})), []string{request, request}, false},
		"broken chunks":               {delayed.With(ResponsesKey.Is([]string{wayWhole, wayCutChunked})), []string{request, request}, false},
		"no answer but the end":       {delayed.With(ResponsesKey.Is([]string{wayWhole, wayClose})), []string{request, request}, false},
		"truncated":                   {delayed.With(ResponsesKey.Is([]string{wayTruncated})), []string{request}, false},
		"a limit of connections":      {delayed.With(MaxConnsKey.Is(1)), []string{request, last}, false},
		"a refusal above the limit":   {delayed.With(MaxConnsKey.Is(1), OverLimitKey.Is(overRefuse)), []string{request, last}, false},
		"over h2c":                    {scenario.Server{Protocol: "h2c"}.With(DelayKey.Is(longer)), []string{request, last}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parks, waits := start(t, test.b), start(t, test.b.With(unparked))
			require.Equal(t, waits.everything(t, test.half, test.says...), parks.everything(t, test.half, test.says...))
			eventually(t, "all is counted", func() bool { return parks.Served() == waits.Served() && parks.InProgress() == 0 })
		})
	}
}

func TestRequestsAreParked(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(forever)))
	conns := make([]net.Conn, 20)
	for i := range conns {
		conns[i] = server.dial(t)
		send(t, conns[i], request)
	}
	server.areParked(t, len(conns))
	require.EqualValues(t, len(conns), server.InProgress())
	for i, conn := range conns {
		if i%2 == 0 {
			require.NoError(t, conn.(*net.TCPConn).SetLinger(0)) // a reset
		}
		conn.Close()
	}
	server.served(t, Served{Received: 20, Left: 20, Accepted: 20})
	server.working(t, 0)
}

func TestShortDelaysAreNotParked(t *testing.T) {
	t.Parallel()
	for _, b := range []scenario.Server{
		scenario.Server{}.With(DelayKey.Is(scenario.Duration(parkFrom / 2))),
		scenario.Server{}.With(DelayKey.Is(forever), unparked),
		scenario.Server{}.With(DelayKey.Is(forever), MaxDescriptorsKey.Is(1<<16)),
	} {
		server := start(t, b)
		conn := server.dial(t)
		send(t, conn, request)
		server.working(t, 1)
		server.conns.mu.Lock()
		for _, c := range server.conns.open {
			require.Nil(t, c.cut.Load())
		}
		server.conns.mu.Unlock()
		conn.Close()
		server.working(t, 0)
	}
}

func TestParkedAnswersAreNeverEarly(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(longer), JitterKey.Is(seconds(0.1))))
	conn := server.dial(t)
	for range 3 {
		begin := time.Now()
		send(t, conn, request)
		server.areParked(t, 1)
		_, err := io.ReadFull(conn, make([]byte, 20))
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(begin), longer.D())
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
		_, err = io.Copy(io.Discard, conn) // the rest
		require.Error(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(soon)))
	}
}

// A client that gives up makes room for the one that waits to be accepted.
func TestParkedRequestThatIsGivenUpMakesRoom(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(forever), MaxConnsKey.Is(1)))
	for range 5 {
		conn := server.dial(t)
		send(t, conn, request)
		server.areParked(t, 1)
		conn.Close()
		server.working(t, 0)
	}
}

func TestServerGoesDownWithParkedRequestsAndHasTheRoomAgain(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(NoResponseKey.Is(true), MaxConnsKey.Is(1), DownAfterKey.Is(seconds(0.3))))
	conn := server.dial(t)
	send(t, conn, request)
	server.areParked(t, 1)
	_, err := io.ReadAll(conn)
	require.NoError(t, err)
	server.working(t, 0)
	eventually(t, "it is back", func() bool { return !isRefused(server.addr)() })
	again := server.dial(t)
	send(t, again, request)
	server.areParked(t, 1)
}

func TestParkedRequestKeepsItsWorker(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(longer), WorkersKey.Is(1)))
	begin := time.Now()
	first, second := server.dial(t), server.dial(t)
	send(t, first, request)
	server.areParked(t, 1)
	send(t, second, request)
	for _, conn := range []net.Conn{first, second} {
		_, err := io.ReadFull(conn, make([]byte, 20))
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, time.Since(begin), 2*longer.D())
}

func TestParkedRequestsAreAnsweredWhenTheServerStops(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(longer), GraceKey.Is(forever)))
	// The first has been answered once, so that it is with the second server of net/http.
	old, fresh := server.dial(t), server.dial(t)
	send(t, old, request)
	_, err := io.ReadFull(old, make([]byte, 20))
	require.NoError(t, err)
	idle := server.dial(t)
	send(t, idle, request)
	_, err = io.ReadFull(idle, make([]byte, 20))
	require.NoError(t, err)
	send(t, old, request)
	send(t, fresh, request)
	server.areParked(t, 2)
	require.NoError(t, server.stop())
	for _, conn := range []net.Conn{old, fresh} {
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Regexp(t, `(?s)HTTP/1.1 200 OK.*Connection: close\r\n.*answered after`, string(got))
	}
	_, err = io.ReadAll(idle)
	require.NoError(t, err)
	server.served(t, Served{Received: 4, Answered: 4, Reused: 1, Accepted: 3})
}

func TestManyParkedRequestsThatEndInEveryWayAreCounted(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(DelayKey.Is(longer), JitterKey.Is(seconds(0.1)), CloseAfterKey.Is(2)))
	const clients = 300
	ended := make(chan error, clients)
	for i := range clients {
		go func() {
			conn, err := net.Dial("tcp", server.addr)
			if err != nil {
				ended <- err
				return
			}
			defer conn.Close()
			_, err = io.WriteString(conn, request)
			if i%3 == 0 { // leaves at about the time of the answer
				time.Sleep(longer.D() + time.Duration(i)*100*time.Millisecond/clients)
			} else if i%3 == 1 && err == nil {
				_, err = io.ReadFull(conn, make([]byte, 20))
			} else if err == nil {
				_, err = io.WriteString(conn, request)
				_, _ = io.Copy(io.Discard, conn)
			}
			ended <- err
		}()
	}
	for range clients {
		require.NoError(t, <-ended)
	}
	server.working(t, 0)
	s := server.Served()
	require.Equal(t, s.Received, s.Answered+s.Left+s.Cut)
	require.EqualValues(t, clients+clients/3, s.Received)
	require.GreaterOrEqual(t, s.Answered, int64(clients))
	require.NoError(t, server.stop())
}

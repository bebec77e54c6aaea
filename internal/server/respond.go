package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/scenario"
)

// Ways to respond to a request.
const (
	wayWhole      = "whole"
	wayNoResponse = "no-response" // nothing, ever
	wayStall      = "stall"       // the header and half of the body, then nothing
	wayClose      = "close"       // the connection is closed in place of a response
	wayReset      = "reset"       // the connection is reset in place of a response
	wayCut        = "cut"         // closed in mid-body, whose length was given
	wayCutChunked = "cut-chunked" // closed in mid-body, which was chunked
	wayCutReset   = "cut-reset"   // reset in mid-body
	wayTruncated  = "truncated"   // closed in mid-body, which was to end with the connection
	wayRedirect   = "redirect"    // a redirect to movedPath, where the response is whole
)

// movedPath is the path to which requests are redirected.
const movedPath = "/moved"

var (
	ResponsesKey = scenario.NewKey[[]string](&requestKeys, scenario.Key{
		Name: "responses", Max: 10_000,
		OneOf: []string{wayWhole, wayNoResponse, wayStall, wayClose, wayReset, wayCut, wayCutChunked, wayCutReset, wayTruncated, wayRedirect},
		Text:  "how to treat successive responses, cycling",
	})
	// CloseAfterKey limits the requests of a connection.
	CloseAfterKey = scenario.NewKey[int](&requestKeys, scenario.Key{
		Name: "close_after", Flag: 100,
		Text: "close a connection after this many requests; 0 for never",
	})
	StatusKey = scenario.NewKey[int](&httpKeys, scenario.Key{
		Name: "status", Default: http.StatusOK, Min: 200, Max: 599,
		Text: "HTTP status of each response",
	})
	BodyKey = scenario.NewKey[int](&httpKeys, scenario.Key{
		Name: "body", Max: 64 << 20,
		Text: "size of each response's body in bytes; 0 for a short text",
	})
	// UnreadKey is how a server responds that knows enough from the header.
	UnreadKey = scenario.NewKey[bool](&httpKeys, scenario.Key{
		Name: "unread", Text: "respond without reading a request's body, which may have 1 MiB at most",
	})
	// HeartbeatKey makes a subscription of each response.
	HeartbeatKey = scenario.NewKey[scenario.Duration](&httpKeys, scenario.Key{
		Name: "heartbeat", Text: "do not end a response: send a line this often until the client leaves; 0 for never",
	})
	AbortAfterKey = scenario.NewKey[scenario.Duration](&httpKeys, scenario.Key{
		Name: "abort_after", Text: "cut off every response later than this after the first request; 0 for never",
	})
)

// work counts requests.
type work struct {
	inProgress atomic.Int64
	// received counts every request, and each one that is over is in one of
	// answered, left and cut.
	received, answered, left, cut atomic.Int64
	reused, accepted              atomic.Int64

	first sync.Once
	began time.Time // of the first request; set by first
}

// begin enters a request that its connection brings as number n, from 1 on. It
// returns the request's number among all of the server's, from 0 on.
func (w *work) begin(n int) int64 {
	number := w.received.Add(1) - 1
	if n > 1 { // later, so that no more are reused than received
		w.reused.Add(1)
	}
	return number
}

// age returns the time since the first request: 0 for the first.
func (w *work) age() time.Duration {
	now := time.Now()
	w.first.Do(func() { w.began = now })
	return max(now.Sub(w.began), 0)
}

// way is what becomes of the answer to a request, by its number.
func (s *Server) way(number int64) string {
	ways := ResponsesKey.Of(s.cfg.Behaviour)
	if len(ways) == 0 {
		return wayWhole
	}
	return ways[number%int64(len(ways))]
}

func (s *Server) handler() http.Handler {
	m := mannerOf(s.cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, m) })
}

// manner is what a Config says of answers, looked up once for all of them.
type manner struct {
	status                int
	unread                bool
	abortAfter, heartbeat time.Duration
	most                  int // requests of a connection; 0 is no limit
	whole                 []byte
	broken                []byte // long enough to have a middle
	// The values of header fields. All answers share them; nil is no field.
	keepAlive, length []string
}

// textPlain is the Content-Type of all answers.
var textPlain = []string{"text/plain; charset=utf-8"}

func mannerOf(cfg Config) *manner {
	b := cfg.Behaviour
	m := &manner{
		status: StatusKey.Of(b), unread: UnreadKey.Of(b),
		abortAfter: AbortAfterKey.Of(b).D(), heartbeat: HeartbeatKey.Of(b).D(),
		whole: fmt.Appendf(nil, "answered after %s\n", DelayKey.Of(b)), broken: filler(brokenSize),
	}
	if n := BodyKey.Of(b); n > 0 {
		m.whole = filler(n)
		m.broken = m.whole
	}
	m.length = []string{strconv.Itoa(len(m.whole))}
	if cfg.Serve != nil {
		return m
	}
	m.most = CloseAfterKey.Of(b)
	var promise []string
	if seconds := int(IdleTimeoutKey.Of(b).D() / time.Second); seconds > 0 {
		promise = append(promise, "timeout="+strconv.Itoa(seconds))
	}
	if m.most > 0 {
		promise = append(promise, "max="+strconv.Itoa(m.most))
	}
	if len(promise) > 0 {
		m.keepAlive = []string{strings.Join(promise, ", ")}
	}
	return m
}

// task is a request that was begun and is not over.
type task struct {
	n       int           // its number on its connection, from 1 on; 0 is unknown
	way     string        // how it is answered
	release func()        // gives its worker back; nil is none
	read    bool          // its body was read to the end
	due     time.Time     // of its answer; the zero time is at once
	left    bool          // its client left before
	over    *atomic.Int64 // what counts it once it is over
}

// begin begins a request on a connection that may be known.
func (s *Server) begin(r *http.Request, l *link) *task {
	s.work.inProgress.Add(1)
	n := s.numberOf(r, l)
	return &task{n: n, way: s.way(s.work.begin(n)), over: &s.work.cut}
}

// end counts a request that is over.
func (s *Server) end(q *task) {
	if q.release != nil {
		q.release()
	}
	q.over.Add(1)
	s.work.inProgress.Add(-1)
}

// answer answers a request. A request that a parking keeps is answered by a second call.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, m *manner) {
	l := linkOf(r)
	q, parked := l.takeBack(), false
	again := q != nil
	if !again {
		q = s.begin(r, l)
	}
	defer func() { // also when the answer is cut off by a panic
		if !parked {
			s.end(q)
		}
	}()
	if !again {
		if !s.prepare(w, r, q, m) {
			q.over = &s.work.left
			return
		}
		if parked = l.park(w, r, q); parked {
			return
		}
	}
	if q.left || !until(r.Context(), q.due) {
		q.over = &s.work.left
		return
	}
	s.respond(w, r, q, m)
}

// prepare does what comes before the delay of a request, and says when its answer is due.
// It reports false when the client left before.
func (s *Server) prepare(w http.ResponseWriter, r *http.Request, q *task, m *manner) bool {
	var age time.Duration
	if m.abortAfter > 0 {
		age = s.work.age()
	}
	switch {
	case m.unread:
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	case s.cfg.Handler == nil:
		// net/http watches for the client's departure only once the whole body
		// has been read: with a part unread the context is never cancelled. A
		// Handler wants to read it itself.
		_, err := io.Copy(io.Discard, r.Body)
		q.read = err == nil
	}
	if m.abortAfter > 0 && age > m.abortAfter {
		cutOff(w)
	}
	release, ok := s.acquireWorker(r.Context())
	if !ok {
		return false
	}
	q.release = release
	if q.way == wayNoResponse && s.cfg.Handler == nil {
		q.due = never
	} else {
		q.due = s.due()
	}
	return true
}

// respond answers a request whose answer is due.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, q *task, m *manner) {
	s.keepAlive(w, r, q.n, m)
	status := m.status
	switch {
	case s.cfg.Handler != nil:
		s.cfg.Handler.ServeHTTP(w, r)
		q.over = &s.work.answered
		if r.Context().Err() != nil {
			q.over = &s.work.left
		}
		return
	case q.way == wayStall:
		stall(w, r, m.status, m.broken)
		q.over = &s.work.left
		panic(http.ErrAbortHandler) // or net/http would end the answer properly
	case q.way == wayRedirect && r.URL.Path != movedPath:
		w.Header().Set("Location", movedPath)
		status = http.StatusFound
	case q.way != wayWhole && q.way != wayRedirect:
		s.fault(q.way, w, r, m.broken)
		return
	}
	if m.heartbeat > 0 {
		q.over = &s.work.answered
		subscription(w, r, status, m.heartbeat)
		return
	}
	text := m.whole
	if status != http.StatusNoContent && status != http.StatusNotModified {
		header := w.Header()
		header["Content-Type"], header["Content-Length"] = textPlain, m.length
	} else {
		text = nil // they have no body
	}
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil && len(text) > 0 {
		return
	}
	q.over = &s.work.answered
}

// subscription sends a line at once, and one more each time, until the client leaves.
func subscription(w http.ResponseWriter, r *http.Request, status int, every time.Duration) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	flush := http.NewResponseController(w).Flush
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(w, "%d\n", n); err != nil || flush() != nil || !pause(r.Context(), every) {
			return
		}
	}
}

// numberOf returns the number of r among the requests of its connection, from 1
// on. It is 0 where another Serve is in charge of the connections.
func (s *Server) numberOf(r *http.Request, l *link) int {
	var c *conn
	if l != nil {
		c = l.conn
	} else {
		c = s.conns.of(r.RemoteAddr)
	}
	if c == nil || s.cfg.Serve != nil {
		return 0
	}
	return int(c.requests.Add(1))
}

// cutOff sends the beginning of an answer and closes the connection. It does
// not return. The client has a status and then io.ErrUnexpectedEOF; net/http
// would quietly repeat a request that was cut off before any answer.
func cutOff(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, "the rest of this answer never ")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// keepAlive tells the client how long it may reuse this connection, in the
// form of RFC 2068 section 19.7.1.1, and keeps to it. It promises nothing where
// another Serve is in charge of the connections. The request is its
// connection's n-th. HTTP/2 has no such header (RFC 9113 section 8.2.2); net/http
// makes a GOAWAY of its Connection: close.
func (s *Server) keepAlive(w http.ResponseWriter, r *http.Request, n int, m *manner) {
	switch {
	case m.most > 0 && n >= m.most:
		w.Header().Set("Connection", "close")
	case m.keepAlive != nil && r.ProtoMajor == 1:
		w.Header()["Keep-Alive"] = m.keepAlive
	}
}

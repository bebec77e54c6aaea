package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/scenario"
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
func (s *Server) way(number int64) scenario.Response {
	ways := s.cfg.Behaviour.Responses
	if len(ways) == 0 {
		return scenario.Whole
	}
	return ways[number%int64(len(ways))]
}

func (s *Server) handler() http.Handler {
	b := s.cfg.Behaviour
	t := texts{whole: fmt.Appendf(nil, "answered after %s\n", b.Delay), broken: filler(brokenSize)}
	if b.Body > 0 {
		t = texts{whole: filler(b.Body)}
		t.broken = t.whole
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, t) })
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, t texts) {
	s.work.inProgress.Add(1)
	defer s.work.inProgress.Add(-1)
	n := s.numberOf(r)
	way := s.way(s.work.begin(n))
	over := &s.work.cut
	defer func() { over.Add(1) }() // also when the answer is cut off by a panic

	b, age := s.cfg.Behaviour, s.work.age()
	if s.cfg.Handler == nil {
		// net/http watches for the client's departure only once the whole body
		// has been read: with a part unread the context is never cancelled. A
		// Handler wants to read it itself.
		_, _ = io.Copy(io.Discard, r.Body)
	}
	if b.AbortAfter > 0 && age > b.AbortAfter.D() {
		cutOff(w)
	}
	done, ok := s.acquireWorker(r.Context())
	if !ok {
		over = &s.work.left
		return
	}
	defer done()
	if way == scenario.Hangs && s.cfg.Handler == nil {
		<-r.Context().Done()
		over = &s.work.left
		return
	}
	if !s.wait(r.Context()) {
		over = &s.work.left
		return
	}
	s.keepAlive(w, r, n)
	switch {
	case s.cfg.Handler != nil:
		s.cfg.Handler.ServeHTTP(w, r)
		over = &s.work.answered
		if r.Context().Err() != nil {
			over = &s.work.left
		}
		return
	case way == scenario.Stalls:
		stall(w, r, b.Status, t.broken)
		over = &s.work.left
		panic(http.ErrAbortHandler) // or net/http would end the answer properly
	case way != scenario.Whole:
		s.fault(way, w, r, t.broken)
		return
	}
	text := t.whole
	if b.Status != http.StatusNoContent && b.Status != http.StatusNotModified {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	} else {
		text = nil // they have no body
	}
	w.WriteHeader(b.Status)
	if _, err := w.Write(text); err != nil && len(text) > 0 {
		return
	}
	over = &s.work.answered
}

// numberOf returns the number of r among the requests of its connection, from 1
// on. It is 0 where another Serve is in charge of the connections.
func (s *Server) numberOf(r *http.Request) int {
	if c := s.conns.of(r.RemoteAddr); c != nil && s.cfg.Serve == nil {
		return int(c.requests.Add(1))
	}
	return 0
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
func (s *Server) keepAlive(w http.ResponseWriter, r *http.Request, n int) {
	if s.cfg.Serve != nil {
		return
	}
	b := s.cfg.Behaviour
	if b.CloseAfter > 0 && n >= b.CloseAfter {
		w.Header().Set("Connection", "close")
		return
	}
	if r.ProtoMajor > 1 {
		return
	}
	value := ""
	if seconds := int(b.IdleTimeout.D() / time.Second); seconds > 0 {
		value = "timeout=" + strconv.Itoa(seconds)
	}
	if b.CloseAfter > 0 {
		if value != "" {
			value += ", "
		}
		value += "max=" + strconv.Itoa(b.CloseAfter)
	}
	if value != "" {
		w.Header().Set("Keep-Alive", value)
	}
}

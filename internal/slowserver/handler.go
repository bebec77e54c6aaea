package slowserver

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
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

// begin enters a request that its connection brings as number n, from 1 on.
func (w *work) begin(n int) {
	w.received.Add(1)
	if n > 1 {
		w.reused.Add(1)
	}
}

// age returns the time since the first request: 0 for the first.
func (w *work) age() time.Duration {
	now := time.Now()
	w.first.Do(func() { w.began = now })
	return max(now.Sub(w.began), 0)
}

func (s *Server) handler() http.Handler {
	text := fmt.Appendf(nil, "answered after %s\n", s.cfg.Behaviour.Delay)
	if n := s.cfg.Behaviour.Body; n > 0 {
		text = make([]byte, n)
		for i := range text {
			text[i] = 'x'
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, text) })
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, text []byte) {
	s.work.inProgress.Add(1)
	defer s.work.inProgress.Add(-1)
	n := 0 // where another Serve is in charge, the connections are not known
	if requests, ok := r.Context().Value(requestCount{}).(*int); ok {
		*requests++
		n = *requests
	}
	s.work.begin(n)
	over := &s.work.cut
	defer func() { over.Add(1) }() // also when the answer is cut off by a panic

	b, age := s.cfg.Behaviour, s.work.age()
	// net/http watches for the client's departure only once the whole body
	// has been read: with a part unread the context is never cancelled.
	_, _ = io.Copy(io.Discard, r.Body)
	if b.AbortAfter > 0 && age > b.AbortAfter.D() {
		cutOff(w)
	}
	if !s.wait(r.Context()) {
		over = &s.work.left
		return
	}
	s.keepAlive(w, n)
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

// wait waits for the delay, and reports false when the client left before.
func (s *Server) wait(ctx context.Context) bool {
	b := s.cfg.Behaviour
	if b.Hang {
		<-ctx.Done()
		return false
	}
	delay := b.Delay.D()
	if b.Jitter > 0 {
		delay += rand.N(b.Jitter.D() + 1)
	}
	if delay <= 0 {
		return ctx.Err() == nil
	}
	return pause(ctx, delay)
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
// connection's n-th.
func (s *Server) keepAlive(w http.ResponseWriter, n int) {
	if s.cfg.Serve != nil {
		return
	}
	b := s.cfg.Behaviour
	if b.CloseAfter > 0 && n >= b.CloseAfter {
		w.Header().Set("Connection", "close")
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

// requestCount is the context key of a connection's number of requests. The
// requests of one HTTP/1 connection come one after the other, so a plain int
// will do.
type requestCount struct{}

func withRequestCount(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, requestCount{}, new(int))
}

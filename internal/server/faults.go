package server

import (
	"bytes"
	"net/http"
	"strconv"
)

// brokenSize is the size of an answer that is broken off, if the script gives
// none.
const brokenSize = 1000

func filler(n int) []byte { return bytes.Repeat([]byte("x"), n) }

// fault gives one of the broken answers. It returns for those that net/http
// ends as it ends any other, and panics with http.ErrAbortHandler for the rest,
// which makes it close the connection.
func (s *Server) fault(way string, w http.ResponseWriter, r *http.Request, text []byte) {
	status := StatusKey.Of(s.cfg.Behaviour)
	switch way {
	case wayClose:
	case wayReset:
		if c := s.conns.of(r.RemoteAddr); c != nil {
			c.reset()
		}
	case wayCut:
		half(w, status, text, true)
	case wayCutChunked:
		half(w, status, text, false)
	case wayCutReset:
		half(w, status, text, true)
		if c := s.conns.of(r.RemoteAddr); c != nil {
			delivered(r.Context(), c)
			c.reset()
		}
	case wayTruncated:
		// This makes net/http end the body with the connection (RFC 9112
		// section 6.3, rule 8; writeHeader in net/http/server.go). HTTP/2 ends
		// the stream, so there too all looks well.
		if r.ProtoMajor == 1 {
			w.Header().Set("Transfer-Encoding", "identity")
			w.Header().Set("Connection", "close")
		}
		half(w, status, text, false)
		return
	}
	if r.ProtoMajor > 1 {
		s.hangUp(r)
	}
	panic(http.ErrAbortHandler)
}

// hangUp closes an HTTP/2 connection with all its streams: net/http would only
// reset the stream of r. It closes our half and waits for the client's, which may
// have frames of its own under way.
func (s *Server) hangUp(r *http.Request) {
	if c := s.conns.of(r.RemoteAddr); c != nil {
		c.hangUp()
		<-r.Context().Done()
	}
}

// stall sends half of an answer, and then nothing until the client leaves.
func stall(w http.ResponseWriter, r *http.Request, status int, text []byte) {
	half(w, status, text, true)
	<-r.Context().Done()
}

// half sends the header of an answer and half of its body, whose whole length
// the header may give.
func half(w http.ResponseWriter, status int, text []byte, length bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if length {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text[:len(text)/2])
	_ = http.NewResponseController(w).Flush()
}

package battery

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// maxStreams is what the server allows on each connection.
const maxStreams = 10

// h2Server answers over HTTP/2, or HTTP/1.1 where the client does not offer it, and notes
// what it sees.
type h2Server struct {
	listener net.Listener
	done     sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	n     h2Counts
	busy  int
	pings chan time.Time
	// goAway ends each connection that has answered before, without taking the request;
	// stall sends no more answers; delay is how long an answer takes.
	goAway, stall bool
	delay         time.Duration
	closed        bool
}

// h2Counts are what was noted. h2 are the connections with HTTP/2, and refused the
// requests that GOAWAY was the answer to.
type h2Counts struct{ opened, h2, answered, refused, mostBusy int }

func serveH2(l net.Listener) *h2Server {
	s := &h2Server{listener: l, pings: make(chan time.Time, 1)}
	s.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.n.opened++
			s.conns = append(s.conns, c)
			if s.closed {
				_ = c.Close()
			}
			s.mu.Unlock()
			s.done.Go(func() {
				defer c.Close()
				s.serve(c.(*tls.Conn))
			})
		}
	})
	return s
}

func (s *h2Server) look() h2Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func (s *h2Server) set(change func(*h2Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// ping returns when the first PING since the stall came; zero if none comes before limit.
func (s *h2Server) ping(limit <-chan time.Time) time.Time {
	select {
	case at := <-s.pings:
		return at
	case <-limit:
		return time.Time{}
	}
}

func (s *h2Server) end() {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	s.done.Wait()
}

func (s *h2Server) serve(c *tls.Conn) {
	if c.Handshake() != nil {
		return
	}
	if c.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		s.serveH1(c)
		return
	}
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	s.set(func(s *h2Server) { s.n.h2++ })
	h := &h2Conn{server: s, framer: http2.NewFramer(c, c)}
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.encoder = hpack.NewEncoder(&h.block)
	if h.write(func() error {
		return h.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: maxStreams})
	}) != nil {
		return
	}
	defer h.answers.Wait()
	for {
		f, err := h.framer.ReadFrame()
		if err != nil || h.frame(f) != nil {
			return
		}
	}
}

// serveH1 answers by HTTP/1.1.
func (s *h2Server) serveH1(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		if err == nil {
			err = body(16)(&conn{Conn: c}, r)
		}
		if err != nil {
			return
		}
	}
}

// h2Conn is a connection with HTTP/2.
type h2Conn struct {
	server  *h2Server
	answers sync.WaitGroup
	last    uint32 // the last stream that was taken

	writing sync.Mutex // guards what is below
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
}

func (h *h2Conn) write(f func() error) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	return f()
}

// frame does what a frame asks for. An error ends the connection.
func (h *h2Conn) frame(f http2.Frame) error {
	s := h.server
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return h.write(h.framer.WriteSettingsAck)
		}
	case *http2.PingFrame:
		if f.IsAck() {
			return nil
		}
		s.set(func(s *h2Server) {
			if s.stall {
				select {
				case s.pings <- time.Now():
				default: // only the first counts
				}
			}
		})
		return h.write(func() error { return h.framer.WritePing(true, f.Data) })
	case *http2.MetaHeadersFrame:
		if f.StreamEnded() {
			return h.request(f.StreamID)
		}
	case *http2.DataFrame:
		if f.StreamEnded() {
			return h.request(f.StreamID)
		}
	}
	return nil
}

// request answers a stream whose request is whole.
func (h *h2Conn) request(stream uint32) error {
	s := h.server
	s.mu.Lock()
	refuse, stall, delay := s.goAway && h.last > 0, s.stall, s.delay
	if refuse {
		s.n.refused++
	} else {
		s.busy++
		s.n.mostBusy = max(s.n.mostBusy, s.busy)
	}
	s.mu.Unlock()
	if refuse {
		_ = h.write(func() error { return h.framer.WriteGoAway(h.last, http2.ErrCodeNo, nil) })
		return io.EOF
	}
	h.last = stream
	if stall {
		return nil
	}
	h.answers.Go(func() {
		time.Sleep(delay) // that is how long an answer takes
		s.set(func(s *h2Server) { s.busy-- })
		err := h.write(func() error {
			h.block.Reset()
			for _, f := range []hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-type", Value: "text/plain"}, {Name: "content-length", Value: "2"}} {
				if err := h.encoder.WriteField(f); err != nil {
					return err
				}
			}
			err := h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: h.block.Bytes(), EndHeaders: true})
			if err == nil {
				err = h.framer.WriteData(stream, true, []byte("ok"))
			}
			return err
		})
		s.set(func(s *h2Server) {
			if err == nil {
				s.n.answered++
			}
		})
	})
	return nil
}

package battery

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// recorder is a server that notes what its clients do. What it answers is set between
// calls. It never closes a connection unless a reaction or close does.
type recorder struct {
	listener net.Listener
	done     sync.WaitGroup

	mu    sync.Mutex
	conns []*conn
	// requests are those that were read whole, in their order.
	requests []request
	react    reaction
	// changed is closed and made anew with each change of what was noted.
	changed chan struct{}
	closed  bool
}

// request is one that was read whole.
type request struct {
	conn     *conn
	method   string
	absolute bool // its URL is in the form for proxies
	path     string
	close    bool // it says Connection: close
}

// conn is a connection that was accepted. Its fields below net.Conn are guarded by the
// recorder's mu.
type conn struct {
	net.Conn
	served   int       // requests answered
	answered time.Time // the last answer was written
	opened   time.Time
	ended    time.Time // zero while the client has not ended it
	how      string    // "FIN" or "RST"
	ours     bool      // we ended it
}

// reaction is what is done with requests. The zero reaction answers 16 bytes.
type reaction struct {
	// reset resets the connection when the first byte of a request is there; close reads
	// the request whole and then closes the connection. Both only if the connection was
	// used before, unless always.
	reset, close, always bool
	// answer writes the answer, in place of 16 bytes. An error ends the connection.
	answer func(c *conn, r *http.Request) error
}

// listen starts a recorder on a free port of an address of loopback.
func listen(host string) (*recorder, error) {
	// The port is bound a second time by its number: the kernel then keeps it bound also
	// when refuse ends the listening (SOCK_BINDPORT_LOCK).
	var l net.Listener
	for range 10 {
		free, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		addr := free.Addr().String()
		_ = free.Close()
		if l, err = net.Listen("tcp", addr); err == nil {
			break
		}
	}
	if l == nil {
		return nil, errors.New("no free port")
	}
	return serve(l), nil
}

func serve(l net.Listener) *recorder {
	s := &recorder{listener: l, changed: make(chan struct{})}
	s.done.Go(s.accept)
	return s
}

func (s *recorder) addr() string { return s.listener.Addr().String() }

func (s *recorder) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // closed, or by stopAccepting
		}
		s.mu.Lock()
		own := &conn{Conn: c, opened: time.Now()}
		s.conns = append(s.conns, own)
		closed := s.closed
		s.notify()
		s.mu.Unlock()
		if closed {
			_ = c.Close()
			return
		}
		s.done.Go(func() { s.serve(own) })
	}
}

// stopAccepting leaves further connections in the queue.
func (s *recorder) stopAccepting() error {
	return s.listener.(*net.TCPListener).SetDeadline(time.Unix(1, 0))
}

// notify wakes those that wait for a change. mu is held.
func (s *recorder) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// note changes what was noted.
func (s *recorder) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.notify()
}

func (s *recorder) serve(c *conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		if _, err := in.Peek(1); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.note(func() { c.ours = true })
			}
			s.ended(c, err)
			return
		}
		s.mu.Lock()
		react := s.react
		used := c.served > 0 || react.always
		s.mu.Unlock()
		if react.reset && used {
			s.reset(c)
			return
		}
		r, err := http.ReadRequest(in)
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		if err != nil {
			s.ended(c, err)
			return
		}
		s.note(func() {
			s.requests = append(s.requests, request{conn: c, method: r.Method, absolute: r.URL.IsAbs(), path: r.URL.Path, close: r.Close})
		})
		answer := react.answer
		if answer == nil {
			answer = body(16)
		}
		if react.close && used {
			err = errClose
		} else {
			err = answer(c, r)
		}
		s.note(func() {
			c.served++
			c.answered = time.Now()
			if errors.Is(err, errClose) {
				c.ours = true
			}
		})
		if err != nil {
			if !errors.Is(err, errClose) {
				s.ended(c, err)
			}
			return
		}
		if r.Close {
			// Some clients wait for the close that they asked for.
			_ = c.SetReadDeadline(time.Now().Add(closeGrace))
		}
	}
}

// closeGrace is how long a client that says Connection: close has to close by itself.
const closeGrace = 300 * time.Millisecond

// errClose is what an answer returns so that the connection is closed.
var errClose = errors.New("close the connection")

// ended notes how the client ended a connection.
func (s *recorder) ended(c *conn, err error) {
	s.note(func() {
		if c.ours || !c.ended.IsZero() {
			return
		}
		c.ended, c.how = time.Now(), "FIN"
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			c.how = "RST"
		}
	})
}

// reset ends a connection with RST.
func (s *recorder) reset(c *conn) {
	s.note(func() { c.ours = true })
	tcp := c.Conn
	if under, ok := tcp.(interface{ NetConn() net.Conn }); ok {
		tcp = under.NetConn()
	}
	_ = tcp.(*net.TCPConn).SetLinger(0)
	_ = tcp.Close()
}

// body answers with a body of n bytes.
func body(n int, headers ...string) func(*conn, *http.Request) error {
	return answer("HTTP/1.1 200 OK", n, n, headers...)
}

// answer answers with a status line, headers and a body of n bytes, of which it sends
// the first.
func answer(status string, n, first int, headers ...string) func(*conn, *http.Request) error {
	var head strings.Builder
	fmt.Fprintf(&head, "%s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n", status, n)
	for _, h := range headers {
		head.WriteString(h + "\r\n")
	}
	text := head.String() + "\r\n" + strings.Repeat("x", first)
	return func(c *conn, _ *http.Request) error {
		_, err := io.WriteString(c, text)
		return err
	}
}

// set sets what is done with requests from now on.
func (s *recorder) set(r reaction) { s.note(func() { s.react = r }) }

// counts are what was noted at a moment.
type counts struct {
	opened, open, requests int
	conns                  []conn // copies
	all                    []request
}

// look returns what was noted so far.
func (s *recorder) look() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookLocked()
}

func (s *recorder) lookLocked() counts {
	n := counts{opened: len(s.conns), requests: len(s.requests), all: s.requests[:len(s.requests):len(s.requests)]}
	for _, c := range s.conns {
		if c.ended.IsZero() && !c.ours {
			n.open++
		}
		n.conns = append(n.conns, *c)
	}
	return n
}

// until waits until what was noted meets a condition, at most so long, and returns it.
func (s *recorder) until(limit <-chan time.Time, met func(counts) bool) counts {
	for {
		s.mu.Lock()
		n, changed := s.lookLocked(), s.changed
		s.mu.Unlock()
		if met(n) {
			return n
		}
		select {
		case <-changed:
		case <-limit:
			return s.look()
		}
	}
}

// closeIdle closes all connections, which are idle, with FIN. It returns how many the
// client had not closed before.
func (s *recorder) closeIdle() int {
	n := 0
	s.note(func() {
		for _, c := range s.conns {
			if c.ended.IsZero() && !c.ours {
				c.ours = true
				_ = c.Close()
				n++
			}
		}
	})
	return n
}

// end closes all and waits for it.
func (s *recorder) end() {
	s.note(func() { s.closed = true })
	_ = s.listener.Close()
	s.note(func() {
		for _, c := range s.conns {
			c.ours = c.ours || c.ended.IsZero()
			_ = c.Close()
		}
	})
	s.done.Wait()
}

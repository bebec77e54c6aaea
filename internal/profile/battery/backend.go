package battery

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// upstream is the server behind a proxy that is measured. It keeps its connections open
// and notes which requests came on which.
type upstream struct {
	listener net.Listener
	done     sync.WaitGroup

	mu sync.Mutex
	// opened counts the connections that were accepted, and conns are those still open.
	opened int
	conns  map[*upstreamConn]bool
	// slow are the connections on which the slow path was answered.
	slow []*upstreamConn
	// seen counts the requests by their path.
	seen map[string]int
}

// upstreamConn is one connection of the proxy to it. The upstream's mu guards the fields.
type upstreamConn struct {
	net.Conn
	served   int
	answered time.Time
	// ended is closed once the proxy closed it, at endedAt; ours says that we did.
	ended   chan struct{}
	endedAt time.Time
	how     string
	ours    bool
}

// The paths that the upstream answers in a way of their own.
const (
	// slowPath is answered after slowTime, and readPath after the body, as all are but for
	// "/".
	slowPath = "/slow"
	readPath = "/read"
	// hintPath is answered with a Keep-Alive header of hintTime.
	hintPath = "/hint"
	// droppedPath is read on a connection that was used before, which is then closed. On a
	// new one it is answered.
	droppedPath = "/dropped"
)

const (
	slowTime = 2 * time.Second
	hintTime = 2 * time.Second
)

func newUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{listener: l, conns: map[*upstreamConn]bool{}, seen: map[string]int{}}
	u.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			own := &upstreamConn{Conn: c, ended: make(chan struct{})}
			u.mu.Lock()
			u.opened++
			u.conns[own] = true
			u.mu.Unlock()
			u.done.Go(func() { u.serve(own) })
		}
	})
	return u, nil
}

func (u *upstream) addr() string { return u.listener.Addr().String() }

// close closes all connections and waits until they are served no more.
func (u *upstream) close() {
	_ = u.listener.Close()
	u.closeIdle()
	u.done.Wait()
}

// closeIdle closes all connections by FIN.
func (u *upstream) closeIdle() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.ours = true
		_ = c.Close()
	}
}

func (u *upstream) serve(c *upstreamConn) {
	err := u.answer(c)
	u.mu.Lock()
	c.endedAt, c.how = time.Now(), howEnded(err)
	delete(u.conns, c)
	u.mu.Unlock()
	close(c.ended)
	_ = c.Close()
}

// answer answers requests until the connection ends. The error is that of the read which
// met its end.
func (u *upstream) answer(c *upstreamConn) error {
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return err
		}
		field := ""
		switch r.URL.Path {
		case slowPath:
			time.Sleep(slowTime)
		case hintPath:
			field = fmt.Sprintf("Connection: keep-alive\r\nKeep-Alive: timeout=%d\r\n", int(hintTime.Seconds()))
		}
		if r.URL.Path != "/" || r.Method == http.MethodGet {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return err
			}
		}
		u.mu.Lock()
		u.seen[r.URL.Path]++
		c.served++
		drop := r.URL.Path == droppedPath && c.served > 1
		c.ours = c.ours || drop
		c.answered = time.Now()
		if r.URL.Path == slowPath {
			u.slow = append(u.slow, c)
		}
		u.mu.Unlock()
		if drop {
			return syscall.ECONNABORTED
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n%sContent-Length: 2\r\n\r\nok", field); err != nil {
			return err
		}
		if r.Close {
			return nil
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // what "/" did not read
			return err
		}
	}
}

// look returns how many connections were opened, and how often a path was asked for.
func (u *upstream) look(path string) (opened, seen int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opened, u.seen[path]
}

// answered are the connections on which the slow path was answered.
func (u *upstream) answered() []*upstreamConn {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.slow)
}

// last is the connection that was answered last; nil if none is open.
func (u *upstream) last() *upstreamConn {
	u.mu.Lock()
	defer u.mu.Unlock()
	var last *upstreamConn
	for c := range u.conns {
		if !c.answered.IsZero() && (last == nil || c.answered.After(last.answered)) {
			last = c
		}
	}
	return last
}

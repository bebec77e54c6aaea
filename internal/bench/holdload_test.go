package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// holdLoad sends requests over raw TCP, a connection and a goroutine each.
// net/http as a client would be late in its own right.
type holdLoad struct {
	addr  string
	delay time.Duration
	n     int

	mu     sync.Mutex // guards all below
	conns  []net.Conn
	held   int // connected, not answered
	late   []time.Duration
	failed int
	err    error // of the first that failed
}

func newHoldLoad(addr string, delay time.Duration, n int) *holdLoad {
	return &holdLoad{addr: addr, delay: delay, n: n, late: make([]time.Duration, 0, n)}
}

// run sends all requests, each in its time, and returns after the last answer.
// Until then all connections stay open.
func (l *holdLoad) run(ctx context.Context) {
	arrivals := make([]time.Duration, l.n)
	for i := range arrivals {
		arrivals[i] = time.Duration(i) * time.Second / holdRate
	}
	interrupted := context.AfterFunc(ctx, l.close)
	defer interrupted()
	defer l.close()
	var asking sync.WaitGroup
	pace(ctx, arrivals, func(time.Time) { asking.Go(l.one) })
	asking.Wait()
}

// one opens a connection, makes a request and enters it.
func (l *holdLoad) one() {
	var late time.Duration
	conn, err := net.DialTimeout("tcp", l.addr, 10*time.Second)
	if err == nil {
		l.enter(conn)
		late, err = l.ask(conn)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if conn != nil {
		l.held--
	}
	if err != nil {
		l.failed++
		if l.err == nil {
			l.err = err
		}
		return
	}
	l.late = append(l.late, late)
}

func (l *holdLoad) enter(conn net.Conn) {
	// Closed by a reset, no connection lingers in the kernel for a minute,
	// where the reports of the next server would have to read past it.
	_ = conn.(*net.TCPConn).SetLinger(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conn)
	l.held++
}

// holdsAll reports whether every request was sent and none is answered.
func (l *holdLoad) holdsAll() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held == l.n
}

// close closes all connections; a second time does nothing.
func (l *holdLoad) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

var (
	holdRequest = []byte("GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
	goodAnswer  = []byte("HTTP/1.1 200 ")
)

// ask makes one request on conn and returns how long after its delay the
// answer began.
func (l *holdLoad) ask(conn net.Conn) (time.Duration, error) {
	sent := time.Now() // before the write: the server may have it before Write returns
	if err := conn.SetDeadline(sent.Add(l.delay + 30*time.Second)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(holdRequest); err != nil {
		return 0, err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	late := time.Since(sent) - l.delay
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(answer[:n], goodAnswer) {
		return 0, fmt.Errorf("the answer was %q", answer[:n])
	}
	return late, nil
}

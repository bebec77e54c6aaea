package loadgen

import (
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"socketlab/internal/series"
)

// pools counts what the pools of net/http have lent, as the traces of requests say. The
// zero pools is ready. It is safe for use by several goroutines.
type pools struct {
	asked   atomic.Bool // a pool was asked
	waiting atomic.Int64
	// unsure says that the counts are not known: a connection carries several requests at
	// a time, or one call has several.
	unsure atomic.Bool

	mu   sync.Mutex // guards conns
	lent map[weak.Pointer[net.TCPConn]]int
}

// asking is one call's part of the pools.
type asking struct {
	of *pools

	mu      sync.Mutex // guards what follows
	waits   bool
	failed  bool // a dial, since the call has asked last
	ended   bool
	holding []weak.Pointer[net.TCPConn]
}

// trace adds to a trace what the counts need.
func (a *asking) trace(t *httptrace.ClientTrace) {
	t.GetConn = func(string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.of.asked.Store(true)
		switch {
		case !a.waits && !a.ended:
			a.waits = true
			a.of.waiting.Add(1)
		case !a.failed: // it asks again before it was given one, and nothing has failed
			a.of.unsure.Store(true)
		}
		a.failed = false
	}
	// net/http calls it before the next request can be given the connection, or after
	// that: so the connections count how often they were lent.
	t.PutIdleConn = func(err error) {
		if err != nil {
			return // it is closed
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.of.putBack(a.holding)
		a.holding = nil
	}
	t.WroteHeaderField = func(name string, _ []string) {
		if strings.HasPrefix(name, ":") { // HTTP/2, whose requests share a connection and put nothing back
			a.of.unsure.Store(true)
		}
	}
}

// given says that the call was given a connection, and what was asked for is there.
func (a *asking) given(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stop()
	if tcp := underlying(conn); tcp != nil {
		key := weak.Make(tcp)
		a.holding = append(a.holding, key)
		a.of.lend(key)
	}
}

// failing says that a dial has failed.
func (a *asking) failing() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = true
}

// end says that the call has returned. Its connections may be in use still.
func (a *asking) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.stop()
}

func (a *asking) stop() {
	if a.waits {
		a.of.waiting.Add(-1)
	}
	a.waits = false
}

func (p *pools) lend(key weak.Pointer[net.TCPConn]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent == nil {
		p.lent = map[weak.Pointer[net.TCPConn]]int{}
	}
	p.lent[key]++
}

// putBack says that one of the connections that a call holds is idle again.
func (p *pools) putBack(held []weak.Pointer[net.TCPConn]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := 0
	for _, key := range held {
		if isOpen(key) {
			open++
			p.lent[key]--
		}
	}
	if open > 1 { // which one it was is not known
		p.unsure.Store(true)
	}
}

// metrics are the counts of now; nil where no pool was asked, or they are not known.
// opened is how many connections there were.
func (p *pools) metrics(opened int64) *series.Pool {
	if !p.asked.Load() || p.unsure.Load() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now, idle := series.Pool{Waiting: p.waiting.Load()}, int64(0)
	for key, times := range p.lent {
		switch {
		case !isOpen(key):
		case times > 0:
			now.InUse++
		default:
			idle++
		}
	}
	if int64(len(p.lent)) == opened { // one that was lent to none may be idle, or closed
		now.Idle = &idle
	}
	return &now
}

// isOpen reports whether a connection is there and was not closed.
func isOpen(key weak.Pointer[net.TCPConn]) bool {
	tcp := key.Value()
	if tcp == nil {
		return false
	}
	raw, err := tcp.SyscallConn()
	return err == nil && raw.Control(func(uintptr) {}) == nil
}

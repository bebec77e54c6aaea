package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// counters counts what a load did. Create one with newCounters; it is safe for use
// by several goroutines.
type counters struct {
	sent, ok, failed atomic.Int64
	attempts         atomic.Int64
	opened, reused   atomic.Int64
	refused, stale   atomic.Int64
	bounds           *bounds // nil without any
	pools            pools

	mu      sync.Mutex // guards all below
	errors  map[string]int64
	latency *hdrhistogram.Histogram // microseconds
	late    *hdrhistogram.Histogram // microseconds
	// served holds every connection that a request was given. The pointers
	// are weak: the counters must not keep a forgotten connection alive, for
	// the collector closes those, and that is part of what is observed. A
	// port number would not do in their place, since ports come back.
	served map[weak.Pointer[net.TCPConn]]*past
}

// past is what became of the requests that a connection was given to.
type past struct {
	given    int
	timeouts int // since the last that was answered
}

func newCounters() *counters {
	const hour, digits = int64(time.Hour / time.Microsecond), 3
	return &counters{
		errors:  map[string]int64{},
		latency: hdrhistogram.New(1, hour, digits),
		late:    hdrhistogram.New(1, hour, digits),
		served:  map[weak.Pointer[net.TCPConn]]*past{},
	}
}

// call makes one request through c and enters its outcome. The caller has
// counted it in sent.
func (c *counters) call(ctx context.Context, caller Caller, due time.Time) {
	start := time.Now()
	var last atomic.Pointer[given] // the connection that the request was given last
	var begun atomic.Bool          // an answer came on it, so that it was not dead
	pool := &asking{of: &c.pools}
	trace := &httptrace.ClientTrace{
		// A try has sent the request, or failed to get as far as that. GetConn
		// would not do: net/http calls it twice for an open HTTP/2 connection, in
		// Transport.getConn and in http2clientConnPool.getClientConn.
		WroteHeaders: func() { c.attempts.Add(1) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			if info.Err != nil {
				pool.failing()
				c.attempts.Add(1)
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				pool.failing()
				c.attempts.Add(1)
			}
		},
		// net.Dialer calls ConnectDone for every address it tried, also when
		// net/http does the dialling, and also when the request that asked
		// for the dial was meanwhile given another connection.
		ConnectDone: func(network, _ string, err error) {
			switch {
			case strings.HasPrefix(network, "udp"): // a name server is asked
			case err == nil:
				c.opened.Add(1)
			case !errors.Is(err, context.Canceled): // nobody wanted it any more
				pool.failing()
				c.refused.Add(1)
				c.attempts.Add(1)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			begun.Store(false)
			last.Store(c.enter(info.Conn))
			pool.given(info.Conn)
		},
		GotFirstResponseByte: func() { begun.Store(true) },
	}
	pool.trace(trace)
	if c.bounds != nil {
		trace.ConnectStart = c.bounds.connect
		trace.DNSStart = func(info httptrace.DNSStartInfo) { c.bounds.lookUp(info.Host) }
	}
	err := caller.Call(httptrace.WithClientTrace(ctx, trace))
	end := time.Now()
	pool.end()

	conn := last.Load()
	if conn != nil && conn.again {
		c.reused.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	record(c.late, start.Sub(due))
	record(c.latency, end.Sub(start))
	if err == nil {
		c.ok.Add(1)
		if conn != nil {
			c.stale.Add(-conn.past.lives())
		}
		return
	}
	c.failed.Add(1)
	name := ErrorName(err)
	c.errors[name]++
	if conn != nil && conn.again && !begun.Load() && conn.past.wasDead(name) {
		c.stale.Add(1)
	}
}

// cutOff are the errors of a request whose connection ended before the answer.
var cutOff = []string{"EOF", "ErrUnexpectedEOF", "ECONNRESET", "EPIPE", "ECONNABORTED"}

// wasDead reports whether a failed request's connection was dead when the
// request got it: it ended before any answer, or the request before has waited
// in vain on it, too. One timeout may as well be a slow answer.
func (p *past) wasDead(errorName string) bool {
	if errorName == "timeout" {
		p.timeouts++
		return p.timeouts > 1
	}
	return errorName != "ErrUnexpectedEOF" && slices.Contains(cutOff, errorName)
}

// lives says that the connection has answered. It returns how many timeouts were taken
// for a dead connection before: over HTTP/2 a connection lives on after one.
func (p *past) lives() (mistaken int64) {
	mistaken = int64(max(0, p.timeouts-1))
	p.timeouts = 0
	return mistaken
}

// given is a connection that a request was given.
type given struct {
	past *past
	// again says that it had been given to one before.
	again bool
}

// enter notes that conn was given to a request. Whether it had been given to
// one before is not GotConnInfo.Reused, which is true as well for a connection
// that went from the dial straight to the idle pool. nil is a connection that
// is not TCP.
func (c *counters) enter(conn net.Conn) *given {
	tcp := underlying(conn)
	if tcp == nil {
		return nil
	}
	key := weak.Make(tcp)
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.served[key]
	if p == nil {
		p = &past{}
		c.served[key] = p
	}
	p.given++
	return &given{past: p, again: p.given > 1}
}

// underlying returns the TCP connection beneath conn, or nil. TLS connections
// name theirs by NetConn.
func underlying(conn net.Conn) *net.TCPConn {
	for {
		switch c := conn.(type) {
		case *net.TCPConn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// record enters d, held to what the histogram can hold.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), h.LowestTrackableValue()), h.HighestTrackableValue()))
}

package client

import (
	"context"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// books counts what a load did. Create one with newBooks; it is safe for use
// by several goroutines.
type books struct {
	sent, ok, failed atomic.Int64
	opened, reused   atomic.Int64

	mu      sync.Mutex // guards all below
	errors  map[string]int64
	latency *hdrhistogram.Histogram // microseconds
	late    *hdrhistogram.Histogram // microseconds
	// served holds every connection that a request was given. The pointers
	// are weak: the books must not keep a forgotten connection alive, for
	// the collector closes those, and that is part of what is observed. A
	// port number would not do in their place, since ports come back.
	served map[weak.Pointer[net.TCPConn]]struct{}
}

func newBooks() *books {
	const hour, digits = int64(time.Hour / time.Microsecond), 3
	return &books{
		errors:  map[string]int64{},
		latency: hdrhistogram.New(1, hour, digits),
		late:    hdrhistogram.New(1, hour, digits),
		served:  map[weak.Pointer[net.TCPConn]]struct{}{},
	}
}

// call makes one request through c and enters its outcome. The caller has
// counted it in sent.
func (b *books) call(ctx context.Context, c Caller, due time.Time) {
	start := time.Now()
	var again atomic.Bool // whether the request's last connection had served before
	err := c.Call(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net.Dialer calls ConnectDone for every address it tried, also when
		// net/http does the dialling, and also when the request that asked
		// for the dial was meanwhile given another connection.
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				b.opened.Add(1)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) { again.Store(b.enter(info.Conn)) },
	}))
	end := time.Now()

	if again.Load() {
		b.reused.Add(1)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	record(b.late, start.Sub(due))
	record(b.latency, end.Sub(start))
	if err == nil {
		b.ok.Add(1)
		return
	}
	b.failed.Add(1)
	b.errors[ErrorName(err)]++
}

// enter notes that conn was given to a request, and reports whether it had
// been given to one before. GotConnInfo.Reused is not that: it is true as well
// for a connection that went from the dial straight to the idle pool.
func (b *books) enter(conn net.Conn) bool {
	tcp := underlying(conn)
	if tcp == nil {
		return false
	}
	key := weak.Make(tcp)
	b.mu.Lock()
	defer b.mu.Unlock()
	_, before := b.served[key]
	b.served[key] = struct{}{}
	return before
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

package server

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// parkFrom is the shortest wait for which a connection is taken from net/http. That
// costs about as much processor time as a second request, and below this it saves no
// memory to speak of: 5,000 requests/s that wait so long are 1,000 at a time.
const parkFrom = 200 * time.Millisecond

// parking keeps HTTP/1 requests whose answers are not due yet, each without a goroutine
// and without buffers. It takes the connection from net/http, and reads nothing from it.
// When the answer is due, or the client has left, it gives the connection to a second
// server of net/http, with a request of the same form to be read first. So net/http
// writes every answer, and whatever comes next on the connection is served there.
//
// A nil parking keeps no request.
type parking struct {
	web
	again   *http.Server
	back    *handover      // to again
	running sync.WaitGroup // again, and what watches clients

	mu       sync.Mutex
	clients  *departures // nil before the first request
	draining bool        // it keeps no more requests
	parked   map[uint64]*parked
	last     uint64        // key in parked
	empty    chan struct{} // closed when it is draining and keeps no request
}

// newParking returns the parking of a server at an address; nil if there is no use for
// one. The caller calls close.
func (w web) newParking(addr net.Addr) *parking {
	b := w.cfg.Behaviour
	switch {
	case !canPark, w.cfg.Handler != nil, UnreadKey.Of(b):
		return nil
	case WriteTimeoutKey.Of(b) > 0: // it runs from the request on, in net/http
		return nil
	case MaxDescriptorsKey.Of(b) > 0: // a parking opens one
		return nil
	}
	p := &parking{web: w, back: newHandover(addr), parked: map[uint64]*parked{}, empty: make(chan struct{})}
	p.again = w.server(w.handler())
	p.again.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, linkKey{}, c)
	}
	p.running.Go(func() { _ = p.again.Serve(p.back) })
	return p
}

// connect is the ConnContext of the first server.
func (p *parking) connect(ctx context.Context, c net.Conn) context.Context {
	// It was accepted just now: no newer connection has the same address.
	if known := p.conns.of(c.RemoteAddr().String()); known != nil {
		return context.WithValue(ctx, linkKey{}, &link{conn: known, parking: p})
	}
	return ctx
}

// stop begins the end: each request that is kept gets its answer, with which its
// connection ends.
func (p *parking) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	if !p.draining && len(p.parked) == 0 {
		close(p.empty)
	}
	p.draining = true
	p.mu.Unlock()
	p.again.SetKeepAlivesEnabled(false)
}

// drain waits, after stop, until every request is answered.
func (p *parking) drain(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case <-p.empty:
		return p.again.Shutdown(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close closes every connection, whatever is under way.
func (p *parking) close() {
	if p == nil {
		return
	}
	p.stop()
	p.again.Close()
	p.mu.Lock()
	left := slices.Collect(maps.Values(p.parked))
	clients := p.clients
	p.mu.Unlock()
	for _, kept := range left {
		kept.link.conn.Close()
	}
	clients.close()
	p.running.Wait()
}

// enter makes room for a request, and reports false if there is none.
func (p *parking) enter(kept *parked) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return false
	}
	if p.clients == nil {
		clients, err := newDepartures()
		if err != nil {
			return false
		}
		p.clients = clients
		p.running.Go(func() { clients.run(p.see) })
	}
	p.last++
	kept.key = p.last
	p.parked[kept.key] = kept
	return true
}

// forget forgets a request that goes on elsewhere, or is over.
func (p *parking) forget(kept *parked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parked, kept.key)
	if p.draining && len(p.parked) == 0 {
		close(p.empty)
	}
}

// see looks at what happened to the connection of a request.
func (p *parking) see(key uint64) {
	p.mu.Lock()
	kept := p.parked[key]
	p.mu.Unlock()
	if kept != nil && hasLeft(kept.link.conn) {
		kept.goBack(true)
	}
}

// link is a connection of HTTP that can be parked. It has one request at a time.
type link struct {
	net.Conn // as net/http had it; nil before it was first parked
	conn     *conn
	parking  *parking
	unread   []byte  // comes before what the client sends
	back     *parked // the request whose answer is due; nil for none
}

type linkKey struct{}

// linkOf returns the connection of r, or nil if it cannot be parked.
func linkOf(r *http.Request) *link {
	l, _ := r.Context().Value(linkKey{}).(*link)
	return l
}

// Read reads what was put before it, and then what the client sends.
func (l *link) Read(b []byte) (int, error) {
	if len(l.unread) == 0 {
		return l.Conn.Read(b)
	}
	n := copy(b, l.unread)
	if l.unread = l.unread[n:]; len(l.unread) == 0 {
		l.unread = nil
	}
	return n, nil
}

// CloseWrite closes our half, where the connection can: net/http asks for that.
func (l *link) CloseWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// takeBack returns the request that was parked and is to be answered now; nil for none.
func (l *link) takeBack() *task {
	if l == nil || l.back == nil {
		return nil
	}
	kept := l.back
	l.back = nil
	if l.conn.cut.Swap(nil) == nil { // its connection was closed, and it was counted
		panic(http.ErrAbortHandler)
	}
	l.parking.forget(kept)
	return kept.task
}

// parked is a request that is kept.
type parked struct {
	*task
	link  *link
	form  []byte // a request of the same form, and what was read after the request
	key   uint64
	timer *time.Timer // nil if no answer is ever due
	// stopped is set once: it goes back, or its connection was closed.
	stopped atomic.Bool
}

// park keeps a request until its answer is due, and reports whether it does. Then
// nothing may be done with w and r.
func (l *link) park(w http.ResponseWriter, r *http.Request, q *task) bool {
	if l == nil || !q.read || q.due.IsZero() || time.Until(q.due) < parkFrom || r.Context().Err() != nil {
		return false
	}
	form := formOf(r)
	if form == nil {
		return false
	}
	kept := &parked{task: q, link: l, form: form}
	if !l.parking.enter(kept) {
		return false
	}
	c, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		l.parking.forget(kept)
		return false
	}
	if c != net.Conn(l) {
		l.Conn = c
	}
	if n := buffers.Reader.Buffered(); n > 0 {
		sent, _ := buffers.Peek(n)
		kept.form = append(kept.form, sent...)
	}
	kept.wait()
	return true
}

// formOf returns a request without a body that net/http answers in the same form as r;
// nil if that is not certain. The form depends on the method, the version and the
// header Connection (chunkWriter.writeHeader in net/http/server.go).
func formOf(r *http.Request) []byte {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		return nil
	}
	if r.ProtoMajor != 1 || r.ProtoMinor > 1 || r.TLS != nil {
		return nil
	}
	connection := ""
	if values := r.Header["Connection"]; len(values) > 0 {
		connection = "Connection: " + strings.Join(values, ", ") + "\r\n"
	}
	return fmt.Appendf(nil, "%s / HTTP/1.%d\r\nHost: again\r\n%s\r\n", r.Method, r.ProtoMinor, connection)
}

// wait waits for the time of the answer, and for the client to leave.
func (kept *parked) wait() {
	conn, p := kept.link.conn, kept.link.parking
	cut := kept.cut
	p.mu.Lock()
	conn.cut.Store(&cut)
	if !kept.due.Equal(never) {
		kept.timer = time.AfterFunc(time.Until(kept.due), func() { kept.goBack(false) })
	}
	clients := p.clients
	p.mu.Unlock()
	select {
	case <-conn.gone: // it was closed, perhaps before it knew of kept
		if conn.cut.CompareAndSwap(&cut, nil) {
			kept.cut()
		}
		return
	default:
	}
	if err := clients.watch(conn, kept.key); err != nil {
		kept.goBack(false) // waits there, with a goroutine
	}
}

// goBack gives the connection back to net/http.
func (kept *parked) goBack(left bool) {
	if !kept.stop() {
		return
	}
	l := kept.link
	l.parking.clients.ignore(l.conn)
	l.unread, l.back = kept.form, kept
	kept.left = left
	l.parking.back.take(l)
}

// stop ends the waiting, and reports whether it did.
func (kept *parked) stop() bool {
	if !kept.stopped.CompareAndSwap(false, true) {
		return false
	}
	p := kept.link.parking
	p.mu.Lock() // wait has set the timer
	defer p.mu.Unlock()
	if kept.timer != nil {
		kept.timer.Stop()
	}
	return true
}

// cut ends a request whose connection was closed.
func (kept *parked) cut() {
	kept.stop()
	p := kept.link.parking
	kept.over = &p.work.left
	p.end(kept.task)
	p.forget(kept)
	kept.link.Close() // which may make room for another
}

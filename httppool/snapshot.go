package httppool

import (
	"cmp"
	"maps"
	"net/url"
	"runtime"
	"slices"
	"time"
)

// State is the state of a connection.
type State string

// The states of a connection.
const (
	// Dialling: not connected yet, or a proxy is asked to connect.
	Dialling State = "dialling"
	// TLSHandshake: connected, and not secure yet.
	TLSHandshake State = "TLS handshake"
	// Active: a request has it, from when it was given one until its response has ended.
	Active State = "active"
	// Idle: no request has it, and the next one may.
	Idle State = "idle"
	// Closing: no request will have it again, and Close has not returned.
	Closing State = "closing"
)

// States are all, in the order of a connection's life.
var States = [...]State{Dialling, TLSHandshake, Active, Idle, Closing}

// RequestState says what a request waits for: a connection, or its response.
type RequestState string

// The states of a request.
const (
	// RequestWaiting: for a connection.
	RequestWaiting RequestState = "waiting"
	// RequestWaitingStream: for one of the streams that an HTTP/2 server allows at a time.
	RequestWaitingStream RequestState = "waiting for a stream"
	// RequestSent: for the response; the request may still be being written.
	RequestSent RequestState = "sent"
	// RequestBody: for the caller to read the response's body or to close it.
	RequestBody RequestState = "body open"
)

func (s RequestState) waits() bool { return s == RequestWaiting || s == RequestWaitingStream }

// Snapshot is a Pool at one moment.
type Snapshot struct {
	// Name is that of the [Pool]; "" without one.
	Name string
	Time time.Time
	// Hosts are in the order of their names. A Pool keeps the newest 256; the counts of
	// others are in the last one, whose name is "".
	Hosts []Host
	// Connections are by host, those dialled first in front.
	Connections []Connection
	// Requests are those whose response has not ended, the first sent in front.
	Requests []Request
}

// Host has the connections to one host, and the requests that wait for one.
type Host struct {
	// Name is host and port: those of the proxy for connections that a proxy uses for all hosts.
	Name string
	// Connections are those that there are, by state.
	Connections map[State]int
	// Streams are the HTTP/2 requests that have a connection and a stream.
	Streams int
	// Waiting are the requests that wait for a connection, or for a stream of one, and
	// LongestWait is how long the first of them has waited.
	Waiting     int
	LongestWait time.Duration

	// Counts since Watch. Opened is dials that succeeded, Adopted is connections that were
	// dialled for a request that did not come through the Pool and were used by one
	// that did. Opened + Adopted = Closed + those that there are now and are open.
	Opened, Adopted, DialsFailed int64
	// Requests is how often a request was given a connection.
	Requests int64
	Closed   map[Reason]int64
}

// Open counts the open connections: not dialling any more, and not closed.
func (h Host) Open() int {
	n := 0
	for _, state := range States[1:] {
		n += h.Connections[state]
	}
	return n
}

// Connection is one connection of a Pool.
type Connection struct {
	Host string
	// Via is the address of the proxy; "" without one.
	Via string
	// Local and Remote are its addresses; "" while it is dialled.
	Local, Remote string
	State         State
	// Since is when it got into that state, Dialled when its dial began.
	Since, Dialled time.Time
	// Uses is how many requests it was given to.
	Uses  int
	TLS   bool
	HTTP2 bool
	// Streams are the HTTP/2 requests that it has.
	Streams int
	// Upgraded says that the protocol was switched, as to a WebSocket.
	Upgraded bool
	// Unwrapped says that its end is not seen when it happens, and the reason rarely. That is
	// so for a *tls.Conn that DialTLSContext returned, which the transport must get as it is,
	// and for what was dialled for a request that did not come through the Pool. A
	// Snapshot leaves out those that are closed where the connection within has a descriptor.
	Unwrapped bool
}

// Request is one request whose response has not ended.
type Request struct {
	Method string
	// URL is without user, query and fragment, which may be secret.
	URL   string
	Host  string // as in [Host]; "" before the transport looks for a connection
	State RequestState
	// Since is when it got into that state, Started when it was sent.
	Since, Started time.Time
	// Waited is how long it has waited for connections until now.
	Waited time.Duration
	// Dialling says that the transport dials for it. Else one that waits is held by the
	// transport's limit, MaxConnsPerHost.
	Dialling bool
	// Local is the local address of its connection; "" without one.
	Local string
	// Reading says that a Read of the body is under way. Read is when one was last; zero if never.
	Reading bool
	Read    time.Time
	// Stack is who sent it, the innermost function first; empty with [WithoutStacks].
	Stack []runtime.Frame
}

// Snapshot returns what there is at this moment.
func (p *Pool) Snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.askForeign()
	now := time.Now()
	s := Snapshot{Name: p.name, Time: now}
	hosts := map[string]*Host{}
	for name, h := range p.hosts {
		hosts[name] = h.shown()
	}
	for c := range p.conns.all {
		shown := c.shown()
		hosts[shown.Host].Connections[shown.State]++
		hosts[shown.Host].Streams += shown.Streams
		s.Connections = append(s.Connections, shown)
	}
	for r := range p.requests.all {
		s.Requests = append(s.Requests, r.shown(now))
		if !r.state.waits() {
			continue
		}
		h := hosts[r.host]
		if h == nil { // it waits for its first connection
			h = (&host{name: r.host}).shown()
			hosts[r.host] = h
		}
		h.Waiting++
		h.LongestWait = max(h.LongestWait, now.Sub(r.entered()))
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		s.Hosts = append(s.Hosts, *hosts[name])
	}
	if p.others.closed != nil {
		s.Hosts = append(s.Hosts, *p.others.shown())
	}
	slices.SortStableFunc(s.Connections, func(a, b Connection) int { return cmp.Compare(a.Host, b.Host) })
	return s
}

func (h *host) shown() *Host {
	closed := maps.Clone(h.closed)
	if closed == nil {
		closed = map[Reason]int64{}
	}
	return &Host{
		Name: h.name, Connections: map[State]int{}, Opened: h.opened, Adopted: h.adopted,
		DialsFailed: h.dialsFailed, Requests: h.requests, Closed: closed,
	}
}

func (c *connection) shown() Connection {
	state := c.state
	if c.uses == 0 && state == Idle && c.by != nil && c.by.state == RequestWaiting {
		state = Dialling // it is on its way to the request; with a SOCKS proxy that takes a while
		if c.tls {
			state = TLSHandshake
		}
	}
	s := Connection{
		Host: c.host.name, Via: c.via, Local: c.local, Remote: c.remote, State: state, Since: c.since, Dialled: c.started,
		Uses: c.uses, TLS: c.tls, HTTP2: c.http2, Upgraded: c.upgraded, Unwrapped: c.foreign,
	}
	if c.http2 {
		s.Streams = c.assigned - c.queued
	}
	return s
}

func (r *request) shown(now time.Time) Request {
	shown := Request{
		Method: cmp.Or(r.method, "GET"), URL: (&url.URL{Scheme: r.url.Scheme, Host: r.url.Host, Path: r.url.Path}).String(),
		Host: r.host, State: r.state, Since: r.entered(), Started: r.started, Waited: r.waited, Dialling: r.dials > 0,
		Stack: r.frames(),
	}
	if r.state.waits() {
		shown.Waited += now.Sub(r.entered())
	}
	if r.conn != nil {
		shown.Local = r.conn.local
	}
	if r.state == RequestBody {
		shown.Reading = r.body.reading.Load() > 0
		if read := r.body.read.Load(); read != 0 {
			shown.Read = r.started.Add(time.Duration(read))
		}
	}
	return shown
}

func (r *request) frames() []runtime.Frame {
	if len(r.stack) == 0 {
		return nil
	}
	var all []runtime.Frame
	frames := runtime.CallersFrames(r.stack)
	for {
		frame, more := frames.Next()
		all = append(all, frame)
		if !more {
			return all
		}
	}
}

// Unfinished returns the responses whose body the caller holds open, and has not read for at
// least that long: no Read is under way, and none has been for the time. Most are forgotten. One
// that is read on, or closed, is in the next answer no more. The first sent is in front.
func (p *Pool) Unfinished(least time.Duration) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var left []Request
	for r := range p.requests.all {
		if r.state != RequestBody || r.body.reading.Load() > 0 {
			continue
		}
		if last := max(r.since, time.Duration(r.body.read.Load())); now.Sub(r.started)-last < least {
			continue
		}
		left = append(left, r.shown(now))
	}
	return left
}

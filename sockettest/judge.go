package sockettest

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// problem is one thing that is wrong, and the sockets or destinations that show
// it.
type problem struct {
	what  string // a sentence that says how to fix it, too
	leaks int    // how many connections or listeners are leaked; 0 of a limit
	lines []string
	// inMemory says that they are connections that are no sockets.
	inMemory bool
}

// item is a listener or a connection. Of a connection with both ends in this
// process, the socket is the client's and other the server's.
type item struct {
	socketstats.Socket
	other  *socketstats.Socket
	server bool // accepted by this process, and the other end is not in it
}

// judge tells leaks from healthy idle connections.
func (c *check) judge(held []socketstats.Socket) []problem {
	found := c.newStacks()
	c.moving = slices.ContainsFunc(found.readers, func(r reader) bool { return r.moving })
	doings, counts := place(found.readers, held)
	var all sorted
	for _, it := range c.pair(held, doings) {
		all.add(it, doings)
	}
	all.settle(counts, len(found.streams))
	c.senders = c.findSenders()
	return append(c.problems(all), all.inMemory(found, c.bodiesInMemory(held))...)
}

// inMemory finds what is left of HTTP connections that are no sockets: the bodies and
// requests that are more than all sockets on which they may be. Idle ones are healthy:
// nothing says to which server they go.
// bodies are lines about those whose sender is known.
func (s *sorted) inMemory(found stacks, bodies []string) (all []problem) {
	add := func(n int, does doing, why cause) {
		if n <= 0 {
			return
		}
		p := problem{
			what: fmt.Sprintf("%s in memory (net.Pipe, httptest.NewTestServer) %s %s: %s",
				words.Plural(n, "connection"), isAre(n, why.be), why.what, why.fix),
			leaks: n, inMemory: true,
		}
		// On sockets are, of those that wait for a body, the ones that came first.
		var goroutines []string
		for _, r := range found.readers {
			if r.does == does {
				goroutines = append(goroutines, r.goroutine)
			}
		}
		if does == http2 {
			goroutines = found.streams
		}
		for _, id := range goroutines[max(0, len(goroutines)-n):] {
			p.lines = append(p.lines, "the connection of goroutine "+id)
		}
		if does == bodyOpen {
			p.lines = append(p.lines, bodies...)
		}
		all = append(all, p)
	}
	sockets := len(s.rest) - s.healthy
	add(s.counts[bodyOpen]-sockets, bodyOpen, ofBodies)
	add(s.counts[respondsInMemory], respondsInMemory, ofRequests)
	if len(s.http2) == 0 && s.counts[http2] == 0 {
		add(s.streams, http2, ofStreams)
	}
	return all
}

// newStacks are the readers and streams that were not there before the test.
func (c *check) newStacks() stacks {
	found := readStacks()
	found.readers = slices.DeleteFunc(found.readers, func(r reader) bool { return c.readers[r.goroutine] })
	found.streams = slices.DeleteFunc(found.streams, func(id string) bool { return c.readers[id] })
	return found
}

// place finds what is done with each socket, by inode, and counts the readers
// whose socket cannot be identified. A reader of another socket than TCP's is neither.
func place(readers []reader, held []socketstats.Socket) (doings map[uint32]doing, counts map[doing]int) {
	doings, counts = map[uint32]doing{}, map[doing]int{}
	var inodes map[uint64]uint32
	if slices.ContainsFunc(held, func(s socketstats.Socket) bool { return s.Inode != 0 }) {
		inodes = inodesOf(readers)
	}
	for _, r := range readers {
		if inode, ok := inodes[r.poll]; ok {
			doings[inode] = r.does
		} else {
			counts[r.does]++
		}
	}
	return doings, counts
}

// pair makes one item of two ends.
func (c *check) pair(held []socketstats.Socket, doings map[uint32]doing) []item {
	byTuple := map[socketstats.Tuple]*socketstats.Socket{}
	for i := range held {
		if held[i].State != socketstats.Listen {
			byTuple[held[i].Tuple()] = &held[i]
		}
	}
	var items []item
	for i := range held {
		s := held[i]
		other := byTuple[socketstats.Tuple{Local: s.Remote, Remote: s.Local}]
		switch {
		case s.State == socketstats.Listen:
			items = append(items, item{Socket: s})
		case other == nil:
			items = append(items, item{Socket: s, server: c.listeners.has(s.Local)})
		case c.clientFirst(s, *other, doings):
			items = append(items, item{Socket: s, other: other})
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(a.Remote.Compare(b.Remote), a.Local.Compare(b.Local))
	})
	return items
}

// clientFirst reports whether of the two ends a is the client's. Where neither
// listeners nor goroutines tell, as after a listener was closed, it is
// the one with the higher port.
func (c *check) clientFirst(a, b socketstats.Socket, doings map[uint32]doing) bool {
	if at, bt := c.listeners.has(a.Local), c.listeners.has(b.Local); at != bt {
		return bt
	}
	if a, b := isHTTP(doings, a), isHTTP(doings, b); a != b {
		return a
	}
	return cmp.Or(cmp.Compare(a.Local.Port(), b.Local.Port()), a.Local.Compare(b.Local)) > 0
}

// isHTTP reports whether an HTTP client of this process reads the socket.
func isHTTP(doings map[uint32]doing, s socketstats.Socket) bool {
	does, ok := doings[s.Inode]
	return ok && s.Inode != 0 && does != reads
}

// sorted are items by what is known of them.
type sorted struct {
	listeners, dials, servers []item
	idle, waiting, http2      []item
	bodies                    []item        // certainly
	other                     []item        // certainly read by something else than net/http
	rest                      []item        // held by bodies, or by nobody who reads
	healthy                   int           // how many of rest are idle; which ones cannot be identified
	streams                   int           // HTTP/2 requests that have not ended
	counts                    map[doing]int // readers whose sockets are not known
}

func (s *sorted) add(it item, doings map[uint32]doing) {
	does, known := doings[it.Inode]
	list := &s.rest
	switch {
	case it.State == socketstats.Listen:
		list = &s.listeners
	case it.State == socketstats.SynSent:
		list = &s.dials
	case it.server:
		list = &s.servers
	case !known || it.Inode == 0:
	case does == idle:
		list = &s.idle
	case does == responds:
		list = &s.waiting
	case does == http2:
		list = &s.http2
	case does == readsBody:
		list = &s.bodies
	default:
		list = &s.other
	}
	*list = append(*list, it)
}

// settle decides about what only numbers tell: readers whose sockets are not
// known, and HTTP/2 requests whose connections are not.
func (s *sorted) settle(counts map[doing]int, streams int) {
	s.streams, s.counts = streams, counts
	s.counts[bodyOpen] -= len(s.bodies) // whose other goroutine, that of the reader, is known
	healthy := counts[idle]
	if streams == 0 {
		healthy += counts[http2]
		counts[http2] = 0
		s.idle, s.http2 = append(s.idle, s.http2...), nil
	}
	// What has unread bytes or was closed by the peer does not wait in a pool.
	var may, not []item
	for _, it := range s.rest {
		if it.State == socketstats.Established && it.RecvQ == 0 {
			may = append(may, it)
		} else {
			not = append(not, it)
		}
	}
	if len(may) > healthy {
		s.healthy = healthy
		return
	}
	s.idle, s.rest = append(s.idle, may...), not
}

// cause is why connections are open: "3 connections" be what, and how to fix it.
type cause struct{ be, what, fix string }

var (
	ofBodies   = cause{"are", "held by response bodies that were not closed", "call resp.Body.Close() after each request"}
	ofRequests = cause{"wait", "for the response to a request", "cancel its context, or give the http.Client a Timeout"}
	ofStreams  = cause{"have", "HTTP/2 requests that have not ended", "read resp.Body to its end or close it, or cancel the request's context"}
	ofDials    = cause{"wait", "for the peer to answer", "give the dial a timeout or a context, and wait until it returns"}
	ofRaw      = cause{"were", "opened and not closed", "call Close (or close the pool or client that they belong to)"}
	ofPeers    = cause{"were", "closed by the peer and not by this process", "call Close when a read says EOF"}
	ofAccepted = cause{"were", "accepted and not closed", "call Close, or close the server (http.Server.Close or Shutdown)"}
	ofGone     = cause{"were", "accepted, then closed by the peer and not by this process", "call Close when a read says EOF"}
)

// problems writes down what is not healthy.
func (c *check) problems(s sorted) []problem {
	var all []problem
	add := func(items []item, leaks int, what string) {
		if len(items) > 0 {
			all = append(all, problem{what: what, leaks: leaks, lines: c.lines(items)})
		}
	}
	certain := func(items []item, why cause) {
		n := len(items)
		add(items, n, fmt.Sprintf("%s %s %s: %s", words.Plural(n, "connection"), isAre(n, why.be), why.what, why.fix))
	}
	held, raw := s.bodies, s.other
	switch causes := s.causes(); {
	case s.healthy > 0 || len(causes) > 1:
		add(s.rest, len(s.rest)-s.healthy, fmt.Sprintf("of these %d connections, %s", len(s.rest), strings.Join(causes, ", ")))
	case s.counts[bodyOpen] > 0:
		held = append(held, s.rest...)
	case s.counts[responds] > 0:
		s.waiting = append(s.waiting, s.rest...)
	case s.counts[http2] > 0:
		s.http2 = append(s.http2, s.rest...)
	default:
		raw = append(raw, s.rest...)
	}
	certain(held, ofBodies)
	certain(s.waiting, ofRequests)
	if s.streams >= len(s.http2) {
		certain(s.http2, ofStreams)
	} else {
		add(s.http2, s.streams, fmt.Sprintf("of these %d connections, some have %s: %s", len(s.http2), ofStreams.what, ofStreams.fix))
	}
	open, peerClosed := split(raw)
	certain(peerClosed, ofPeers)
	certain(open, ofRaw)
	c.idleProblems(s.idle, add)
	certain(s.dials, ofDials)
	open, peerClosed = split(s.servers)
	certain(peerClosed, ofGone)
	certain(open, ofAccepted)
	add(s.listeners, len(s.listeners), words.Plural(len(s.listeners), "listener was", "listeners were")+
		" not closed: call Close on the listener or on its server (httptest.Server, http.Server)")
	return all
}

// causes says of rest by what so many are held, where it cannot be told which one
// is held by what.
func (s *sorted) causes() []string {
	var causes []string
	left := len(s.rest)
	say := func(n int, be, what string) {
		if n = min(n, left); n > 0 {
			left -= n
			causes = append(causes, fmt.Sprintf("%d %s %s", n, isAre(n, be), what))
		}
	}
	say(s.healthy, "are", "idle in a pool and healthy")
	for _, by := range []struct {
		n int
		cause
	}{{s.counts[bodyOpen], ofBodies}, {s.counts[responds], ofRequests}, {s.counts[http2], ofStreams}, {left, ofRaw}} {
		say(by.n, by.be, fmt.Sprintf("%s (%s)", by.what, by.fix))
	}
	return causes
}

func split(items []item) (open, peerClosed []item) {
	for _, it := range items {
		if it.State == socketstats.CloseWait {
			peerClosed = append(peerClosed, it)
		} else {
			open = append(open, it)
		}
	}
	return open, peerClosed
}

// idleProblems finds more idle connections to one destination than a pool keeps.
func (c *check) idleProblems(idle []item, add func([]item, int, string)) {
	byRemote := map[netip.AddrPort][]item{}
	for _, it := range idle {
		byRemote[it.Remote] = append(byRemote[it.Remote], it)
	}
	for _, remote := range slices.SortedFunc(maps.Keys(byRemote), netip.AddrPort.Compare) {
		items := byRemote[remote]
		if len(items) <= c.idlePerHost {
			continue
		}
		add(items, len(items), fmt.Sprintf("%s idle in pools for %s, where one transport keeps at most %d: "+
			"share one http.Transport between all requests, or call its CloseIdleConnections; if one transport may keep more, say so with sockettest.IdlePerHost",
			words.Plural(len(items), "connection is", "connections are"), remote, c.idlePerHost))
	}
}

package sockettest

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// flow counts the connections of this process while a test runs, from listings of
// those that live and, on Linux, from what the kernel tells of those that ended.
//
// It belongs to the goroutine that opened it, but between start and stop, when it
// belongs to the one that samples.
type flow struct {
	c       *check
	own     socketstats.Addresses
	quit    chan struct{}
	running sync.WaitGroup

	closings socketstats.Closings // nil where the kernel does not tell
	ears     *ears                // nil where closings is
	marker   *marker
	closed   []socketstats.Closed
	heard    []socketstats.Closed // kept for its room
	missed   bool                 // the kernel could not tell of some

	seen map[key]socketstats.Socket // ends of connections that were seen alive
	// last and next are listings, kept for their room.
	last, next []socketstats.Socket
	most       int
	mostAre    []socketstats.Tuple
	err        error
	ticks      atomic.Int64
}

func openFlow(c *check) (*flow, error) {
	f := &flow{
		c: c, own: socketstats.OwnAddresses(), seen: map[key]socketstats.Socket{},
		quit: make(chan struct{}),
	}
	if c.maxOpened < 0 {
		return f, nil
	}
	closings, err := socketstats.OpenClosings(c.source, nil)
	if errors.Is(err, errors.ErrUnsupported) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	listening, err := openSource(c.config.source)
	if err != nil {
		return nil, errors.Join(err, closings.Close())
	}
	if f.marker, err = newMarker(); err != nil {
		return nil, errors.Join(err, listening.Close(), closings.Close())
	}
	f.closings, f.ears = closings, &ears{source: listening, found: addresses{}}
	return f, nil
}

// start begins to count what is not in check.before.
func (f *flow) start() error {
	// The kernel tells of a socket a moment after its end, so what ended before
	// the test may be heard only now. No more of it comes after this.
	f.settle()
	if f.err != nil {
		return f.err
	}
	f.closed = nil
	f.running.Go(f.sample)
	if f.ears != nil {
		f.running.Go(func() { f.ears.look(f.quit) })
	}
	return nil
}

// A listing is made every sampleEvery, or less often so that it takes at most a
// tenth of the time; but not less often than sampleAtLeastEvery.
const (
	sampleEvery        = time.Millisecond
	sampleAtLeastEvery = 200 * time.Millisecond
)

func (f *flow) sample() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-f.quit:
			return
		case <-timer.C:
		}
		began := time.Now()
		if f.err = f.tick(); f.err != nil {
			return
		}
		if f.drain(); f.err != nil {
			return
		}
		timer.Reset(pauseAfter(began))
	}
}

// pauseAfter is the pause after a listing that was begun then.
func pauseAfter(began time.Time) time.Duration {
	return min(max(sampleEvery, 10*time.Since(began)), sampleAtLeastEvery)
}

// ears look for listeners, by which it is known whose an ended connection was. They do so by
// themselves: on a machine with many sockets a test's server may be there for less time than
// a listing of all takes.
type ears struct {
	source socketstats.Source
	mu     sync.Mutex // of found and err
	found  addresses
	err    error
}

func (e *ears) look(quit <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-quit:
			return
		case <-timer.C:
		}
		began := time.Now()
		sockets, err := list(e.source, nil, false, socketstats.Listen)
		e.mu.Lock()
		e.err = err
		for _, s := range sockets {
			if mine(s) {
				e.found.add(s)
			}
		}
		e.mu.Unlock()
		if err != nil {
			return
		}
		timer.Reset(pauseAfter(began))
	}
}

// tell adds what was found.
func (e *ears) tell(to addresses) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.Copy(to, e.found)
	return e.err
}

// tick lists what lives.
func (f *flow) tick() error {
	defer f.ticks.Add(1)
	if err := f.list(); err != nil {
		return err
	}
	// A listing is not of one moment: one connection may end while it is
	// made, and the next begin. What is in two listings was there between them.
	if len(open(f.next)) <= f.most {
		return nil
	}
	if err := f.list(); err != nil {
		return err
	}
	before := map[key]bool{}
	for _, s := range f.last {
		before[keyOf(s)] = true
	}
	both := open(slices.DeleteFunc(f.next, func(s socketstats.Socket) bool { return !before[keyOf(s)] }))
	if len(both) > f.most {
		f.most, f.mostAre = len(both), both
	}
	return nil
}

// list reads into next the ends of this process's connections that are alive and
// were not there before.
func (f *flow) list() error {
	sockets, err := list(f.c.source, f.last, false)
	if err != nil {
		return err
	}
	for _, s := range sockets {
		if mine(s) {
			f.c.listeners.add(s)
			if f.c.firstSeen[keyOf(s)].IsZero() && !f.c.before[keyOf(s)] {
				f.c.firstSeen[keyOf(s)] = time.Now()
			}
		}
	}
	sockets = slices.DeleteFunc(sockets, func(s socketstats.Socket) bool {
		return !s.Alive() || f.c.before[keyOf(s)] || !mine(s) && !f.toListener(s.Tuple())
	})
	for _, s := range sockets {
		f.seen[keyOf(s)] = s
	}
	f.last, f.next = f.next, sockets
	return nil
}

// toListener reports whether a connection is one to a listener of this process.
func (f *flow) toListener(t socketstats.Tuple) bool {
	if f.c.listeners.has(t.Local) {
		return true
	}
	return f.own.Has(t.Remote.Addr()) && f.c.listeners.has(t.Remote)
}

// open are the connections of these sockets that are established at each end, by
// one end.
func open(sockets []socketstats.Socket) []socketstats.Tuple {
	closing := map[socketstats.Tuple]bool{}
	for _, s := range sockets {
		if s.State != socketstats.Established {
			closing[connection(s.Tuple())] = true
		}
	}
	seen := map[socketstats.Tuple]bool{}
	var tuples []socketstats.Tuple
	for _, s := range sockets {
		if t := connection(s.Tuple()); !closing[t] && !seen[t] {
			seen[t] = true
			tuples = append(tuples, s.Tuple())
		}
	}
	return tuples
}

func tupleOf(s socketstats.Closed) socketstats.Tuple {
	return socketstats.Tuple{Local: s.Local, Remote: s.Remote}
}

// connection is the same for both ends.
func connection(t socketstats.Tuple) socketstats.Tuple {
	if t.Remote.Compare(t.Local) < 0 {
		return socketstats.Tuple{Local: t.Remote, Remote: t.Local}
	}
	return t
}

// stop ends the counting and says which limits were exceeded.
func (f *flow) stop() ([]problem, error) {
	close(f.quit)
	f.running.Wait()
	if f.err == nil {
		f.err = errors.Join(f.tick(), f.list()) // twice, as in check.look
	}
	f.settle()
	if f.err != nil {
		return nil, f.err
	}
	var all []problem
	if limit := f.c.maxOpen; limit >= 0 && f.most > limit {
		all = append(all, problem{
			what: fmt.Sprintf("at least %s open at once, more than the %d of sockettest.MaxOpen: "+
				"do less at once (http.Transport.MaxConnsPerHost), or allow more", words.Plural(f.most, "connection was", "connections were"), limit),
			lines: f.destinations(f.mostAre),
		})
	}
	if f.c.maxOpened < 0 {
		return all, nil
	}
	opened, exact := f.opened()
	if n := len(opened); n > f.c.maxOpened {
		atLeast := "at least "
		if exact {
			atLeast = ""
		}
		all = append(all, problem{
			what: fmt.Sprintf("%s%s opened, more than the %d of sockettest.MaxOpened: share one http.Transport, "+
				"read response bodies to their end and close them so that connections are used again, or allow more",
				atLeast, words.Plural(n, "connection was", "connections were"), f.c.maxOpened),
			lines: f.destinations(opened),
		})
	}
	return all, nil
}

// opened lists each connection that was opened, and reports whether that is all.
func (f *flow) opened() (_ []socketstats.Tuple, exact bool) {
	// An account is a connection, by its four-tuple, which may be used again within
	// a test. There are as many as one of its ends had sockets.
	ledger := series.Ledger[socketstats.Tuple]{Paired: true}
	seenAs := map[socketstats.Tuple]socketstats.Tuple{}
	sort := func(t socketstats.Tuple) (of socketstats.Tuple, end socketstats.End) {
		of = connection(t)
		seenAs[of] = t
		if of != t {
			end = socketstats.Server
		}
		return of, end
	}
	ledger.Alive(nil, nil) // all that follows is without what was there before
	ledger.Heard(f.closed, func(s *socketstats.Closed) (socketstats.Tuple, series.ClosedConn, bool) {
		t := tupleOf(*s)
		// A connection that was reset by its own end has forgotten the other; the
		// other end speaks for both, unless this one was seen before.
		ours := s.Connected && t.Remote.Port() != 0 && f.toListener(t)
		if before, ok := f.seen[key{cookie: s.Cookie}]; ok {
			t, ours = before.Tuple(), true
		}
		if !ours {
			return t, series.ClosedConn{}, false
		}
		of, end := sort(t)
		return of, series.ClosedConn{End: end}, true
	})
	ledger.Alive(slices.Collect(maps.Values(f.seen)), func(s *socketstats.Socket) (socketstats.Tuple, socketstats.End, bool) {
		of, end := sort(s.Tuple())
		return of, end, true
	})
	exact = f.closings != nil && !f.missed
	var opened []socketstats.Tuple
	for _, of := range ledger.Accounts() {
		t := seenAs[of]
		exact = exact && f.toListener(t)
		for range ledger.Counts(of).Opened {
			opened = append(opened, t)
		}
	}
	return opened, exact
}

// destinations counts connections by where they go: "200 to 127.0.0.1:8080".
func (f *flow) destinations(tuples []socketstats.Tuple) []string {
	counts := map[netip.AddrPort]int{}
	for _, t := range tuples {
		to := t.Remote
		if f.c.listeners.has(t.Local) && !f.c.listeners.has(to) {
			to = t.Local
		}
		counts[to]++
	}
	var to []netip.AddrPort
	for a := range counts {
		to = append(to, a)
	}
	slices.SortFunc(to, func(a, b netip.AddrPort) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return a.Compare(b)
	})
	var lines []string
	for _, a := range to {
		lines = append(lines, fmt.Sprintf("%d to %s", counts[a], a))
	}
	return lines
}

// drain takes what the kernel told, and reports whether the marker's connection
// with this port is among it, and how much else of this process is.
func (f *flow) drain() (ports map[uint16]bool, ours int) {
	if f.closings == nil || f.err != nil {
		return nil, 0
	}
	heard, overflows, err := f.closings.Drain(f.heard[:0])
	f.heard, f.err, f.missed = heard, errors.Join(err, f.ears.tell(f.c.listeners)), f.missed || overflows > 0
	// What was heard last time and is not to a listener that was listed since, is
	// somebody else's.
	f.closed = slices.DeleteFunc(f.closed, func(s socketstats.Closed) bool { return !f.toListener(tupleOf(s)) })
	ports = map[uint16]bool{}
	for _, s := range heard {
		switch {
		case s.Local == f.marker.at:
			ports[s.Remote.Port()] = true
		case s.Local.Addr() == markerAddr, s.Remote.Addr() == markerAddr, f.c.before[key{cookie: s.Cookie}]:
		default:
			f.closed = append(f.closed, s)
			if f.toListener(tupleOf(s)) {
				ours++
			}
		}
	}
	return ports, ours
}

// A mark is heard of within milliseconds, on a busy machine within seconds. Once the
// kernel's buffer was full, it may be lost.
const (
	markWithin     = 10 * time.Second
	markLostWithin = time.Second
)

// settle waits until the kernel has reported everything that ended before: until it
// reports marks that are made now, and nothing else meanwhile.
func (f *flow) settle() {
	if f.closings == nil {
		return
	}
	for range 20 { // something may be going on in the background all the time
		marks, err := f.marker.mark()
		if err != nil {
			f.err = errors.Join(f.err, err)
			return
		}
		news, began := 0, time.Now()
		for f.err == nil {
			ports, ours := f.drain()
			news += ours
			marks = slices.DeleteFunc(marks, func(port uint16) bool { return ports[port] })
			if len(marks) == 0 {
				break
			}
			if took := time.Since(began); took > markWithin || (f.missed && took > markLostWithin) {
				f.missed = true
				return
			}
			time.Sleep(50 * time.Microsecond)
		}
		if news == 0 {
			return
		}
	}
}

func (f *flow) close() error {
	select {
	case <-f.quit:
	default:
		close(f.quit)
	}
	f.running.Wait()
	var errs []error
	if f.marker != nil {
		errs = append(errs, f.marker.close())
	}
	if f.closings != nil {
		errs = append(errs, f.ears.source.Close(), f.closings.Close())
	}
	return errors.Join(errs...)
}

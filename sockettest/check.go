package sockettest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"socketlab/internal/socketstats"
)

// key names a socket: by its cookie where the source gives one, else by its
// four-tuple.
type key struct {
	cookie uint64
	tuple  socketstats.Tuple
}

func keyOf(s socketstats.Socket) key {
	if s.Cookie != 0 {
		return key{cookie: s.Cookie}
	}
	return key{tuple: s.Tuple()}
}

// check is one look before and one after. It is for one goroutine.
type check struct {
	config
	name   string
	source socketstats.Source

	before  map[key]bool
	readers map[string]bool // the goroutines that had to do with connections before
	// listeners are the addresses on which this process was seen to listen.
	listeners addresses
	firstSeen map[key]time.Time
	senders   []sender // when it was judged last
	moving    bool     // then, too: some reader of net/http did not wait
	flow      *flow    // nil without a limit
}

func begin(name string, options []Option) (*check, error) {
	c := &check{
		config: config{
			within: defaultWithin, idlePerHost: http.DefaultMaxIdleConnsPerHost,
			maxOpen: -1, maxOpened: -1, source: socketstats.Auto,
		},
		name: name, before: map[key]bool{}, readers: map[string]bool{},
		listeners: addresses{}, firstSeen: map[key]time.Time{},
	}
	for _, option := range options {
		option(&c.config)
	}
	if c.cannot != nil {
		return nil, c.cannot
	}
	if where := bubble(); where != "" && (c.maxOpen >= 0 || c.maxOpened >= 0) {
		return nil, fmt.Errorf("MaxOpen and MaxOpened count by the real clock, and this is in a %s: call Check with them before synctest.Test", where)
	}
	source, err := openSource(c.config.source)
	if err != nil {
		return nil, err
	}
	c.source = source
	if err := c.look(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// look remembers what is there before the test.
func (c *check) look() error {
	// So that the test does not find connections in its pools, and opens as many
	// alone as behind others.
	c.closeIdle()
	if c.maxOpen >= 0 || c.maxOpened >= 0 {
		flow, err := openFlow(c)
		if err != nil {
			return err
		}
		c.flow = flow
	}
	sockets, err := list(c.source, nil, false)
	if err != nil {
		return err
	}
	if socketstats.ReportsInfo(c.source) {
		// The kernel may pass over one of many sockets while others come and go, and
		// that one would be a leak later.
		again, err := list(c.source, nil, false)
		if err != nil {
			return err
		}
		sockets = append(sockets, again...)
	}
	for _, s := range sockets {
		// A cookie is never used again, so it is safe to keep those that have
		// no owner: an accepted connection has its owner a moment later.
		if s.Cookie != 0 || mine(s) {
			c.before[keyOf(s)] = true
		}
		if mine(s) {
			c.listeners.add(s)
		}
	}
	// Without a cookie, what waits to be accepted by one of our listeners is from before
	// the test, too, and so is the other end of each of its connections: one that was
	// closed has no owner, until the server has closed its own.
	for _, s := range sockets {
		if s.Cookie == 0 && (c.listeners.has(s.Local) || s.Alive() && c.listeners.has(s.Remote)) {
			c.before[keyOf(s)] = true
		}
	}
	found := readStacks()
	for _, r := range found.readers {
		c.readers[r.goroutine] = true
	}
	for _, id := range found.streams {
		c.readers[id] = true
	}
	if c.flow != nil {
		return c.flow.start()
	}
	return nil
}

func (c *check) close() error {
	var errs []error
	if c.flow != nil {
		errs = append(errs, c.flow.close())
	}
	return errors.Join(append(errs, c.source.Close())...)
}

// end says what is wrong after the test; "" is nothing.
func (c *check) end() string {
	var problems []problem
	var errs []error
	if c.flow != nil {
		over, err := c.flow.stop()
		problems, errs = append(problems, over...), append(errs, err)
	}
	left, err := c.left()
	errs = append(errs, err, c.close())
	if err := errors.Join(errs...); err != nil {
		return cannotLook(err)
	}
	if problems = append(problems, left...); len(problems) == 0 {
		return ""
	}
	return report(c.name, problems)
}

// mostLooks is how often it is looked again at what moves: for a quarter of a second.
const mostLooks = 8

// waiting is held by the check that waits: what it does to the garbage collector
// is for one at a time.
var waiting sync.Mutex

// left waits until the test's sockets are closed, or the time for it is over.
func (c *check) left() ([]problem, error) {
	waiting.Lock()
	defer waiting.Unlock()
	// The collector closes a connection that nobody refers to any more. Waiting must
	// not make it come and hide just the leak that is looked for.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	wait := newPatience(c.within)
	for look := 0; ; look++ {
		c.closeIdle() // each time: a body that is closed late is in the pool later
		late := wait.over()
		held, err := c.held()
		if err != nil {
			return nil, err
		}
		problems := c.judge(held)
		// What has just had a response may be about to wait until its body is closed. Where
		// requests go on for as long as the test does, some are always moving.
		if late || len(problems) == 0 && (!c.moving || look >= mostLooks) {
			return problems, nil
		}
		wait.pause()
	}
}

// held lists what this process holds and did not hold before.
func (c *check) held() ([]socketstats.Socket, error) {
	sockets, err := list(c.source, nil, true)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for _, s := range sockets {
		if mine(s) {
			c.listeners.add(s)
		}
	}
	held := slices.DeleteFunc(sockets, func(s socketstats.Socket) bool {
		return !mine(s) || s.Minisock || s.State == socketstats.TimeWait || c.before[keyOf(s)]
	})
	for _, s := range held {
		if c.firstSeen[keyOf(s)].IsZero() {
			c.firstSeen[keyOf(s)] = now
		}
	}
	return held, nil
}

func (c *check) closeIdle() {
	if t, ok := http.DefaultTransport.(idleCloser); ok {
		t.CloseIdleConnections()
	}
	for _, t := range c.idle {
		t.CloseIdleConnections()
	}
}

var pid = int32(os.Getpid())

func mine(s socketstats.Socket) bool { return s.PID == pid }

// list lists the machine's sockets in these states, or in all, and tells this process's;
// into may have room.
func list(source socketstats.Source, into []socketstats.Socket, info bool, states ...socketstats.State) ([]socketstats.Socket, error) {
	sockets, err := source.Sockets(context.Background(), socketstats.Query{
		Owners: true, OwnersAmong: []int32{pid}, Info: info, Into: into, States: states,
	})
	return slices.DeleteFunc(sockets, marks), err
}

var proven atomic.Bool

// openSource opens a source that has been seen to work: there are sandboxes in
// which the kernel lists sockets and does not tell whose they are, and there
// every test would pass.
func openSource(name string) (socketstats.Source, error) {
	if err := socketstats.CheckProcess(pid); err != nil {
		return nil, err
	}
	source, err := socketstats.OpenSource(name)
	if err != nil || proven.Load() {
		return source, err
	}
	if err := prove(source); err != nil {
		return nil, errors.Join(err, source.Close())
	}
	proven.Store(true)
	return source, nil
}

// prove looks for a listener that is certainly there.
func prove(source socketstats.Source) error {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return fmt.Errorf("try out the list of sockets: %w", err)
	}
	defer l.Close()
	sockets, err := list(source, nil, false)
	if err != nil {
		return err
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	for _, s := range sockets {
		if mine(s) && s.State == socketstats.Listen && s.Local.Port() == at.Port() {
			return nil
		}
	}
	return fmt.Errorf("%s does not show a listener that this process holds at %s", source.Name(), at)
}

// addresses are those of listeners.
type addresses map[netip.AddrPort]bool

func (a addresses) add(s socketstats.Socket) {
	if s.State == socketstats.Listen {
		a[s.Local] = true
	}
}

// has reports whether one of the listeners takes connections to this address of
// this machine.
func (a addresses) has(local netip.AddrPort) bool {
	return a[local] || a[netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())] ||
		a[netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())]
}

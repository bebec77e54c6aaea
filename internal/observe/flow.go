package observe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// Flow is the connections that came and went, also those that lived between two
// counts.
type Flow struct {
	// Opened and Closed are since the watch began. A connection is closed when
	// its socket is no more; what lingers in TIME_WAIT is closed.
	Opened int `json:"opened"`
	Closed int `json:"closed"`
	// OpenedPerSecond and ClosedPerSecond are since the count before.
	OpenedPerSecond float64 `json:"opened_per_second"`
	ClosedPerSecond float64 `json:"closed_per_second"`
	// WithTCPInfo are those of Closed of which it is known what they carried, and
	// ShortLived those of WithTCPInfo that carried an exchange or two; both only if the
	// target is observed with details.
	WithTCPInfo int `json:"with_tcp_info,omitempty"`
	ShortLived  int `json:"short_lived,omitempty"`
	// Inferred are those of Closed that are in this row because no other process
	// was seen to connect to where they went: without privilege the kernel does
	// not say whose a connection was.
	Inferred int `json:"inferred,omitempty"`
}

// since sets the rates by an earlier flow.
func (f *Flow) since(before Flow, passed time.Duration) {
	if s := passed.Seconds(); s > 0 {
		f.OpenedPerSecond = max(0, float64(f.Opened-before.Opened)/s)
		f.ClosedPerSecond = max(0, float64(f.Closed-before.Closed)/s)
	}
}

// StateDuration is how long sockets were in a state that they left since the watch
// began.
type StateDuration struct {
	State  socketstats.State `json:"state"`
	Times  int               `json:"times"`
	MeanMS float64           `json:"mean_ms"`
	MaxMS  float64           `json:"max_ms"`
}

// flowSource keeps account of connections by the row that they belong to.
type flowSource interface {
	name() string
	// before is called before the sockets are listed, and after with the
	// list. It returns what came and went since the first list, and whether
	// some were missed or could not be told to be anybody's.
	before(who rowOf) error
	after(list []socketstats.Socket, who rowOf) (total accounts, atLeast bool, err error)
	Close() error
}

// end is one socket of a connection, and the process that holds it, or 0.
type end struct {
	local, remote netip.AddrPort
	pid           int32
}

// rowOf says whose row a connection belongs to, by one of its two ends.
type rowOf func(end) (row int32, verdict finding)

type finding int

const (
	ignored finding = iota // not watched, or the other end speaks for it
	counts
	inferred // it is watched, by all that is known
	unknown  // it may be watched
)

// tally is a row's account, and tallies those of all rows.
type (
	account  struct{ opened, closed, inferred int }
	accounts map[int32]*account
)

func (t *account) plus(u account) {
	t.opened += u.opened
	t.closed += u.closed
	t.inferred += u.inferred
}

func (t accounts) of(row int32) *account {
	if t[row] == nil {
		t[row] = &account{}
	}
	return t[row]
}

// openFlows returns the best source of flows there is: with privilege every
// change of state, without it every closing; nil where there is none.
func openFlows(source socketstats.Source, owners *socketstats.Owners, port uint16) (flowSource, error) {
	if !socketstats.ReportsInfo(source) { // its lists name no socket, and show no end of one
		return nil, nil
	}
	var ports []uint16
	if port != 0 {
		ports = []uint16{port}
	}
	trace, err := tracepoint.Open(tracepoint.Options{Ports: ports})
	if err == nil {
		return &transitions{source: trace}, nil
	}
	if !errors.Is(err, tracepoint.ErrNotAllowed) && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	heard, err := socketstats.OpenClosings(source, ports)
	if err != nil {
		return nil, err
	}
	return &closings{source: heard, owners: owners}, nil
}

// atPort finds the row of a connection to the watched port. Where both ends are
// on this machine one of them speaks: with transitions the client's, whose
// process is told; with closings the server's, which is never forgotten.
func (w *Watcher) atPort(e end) (int32, finding) {
	_, traced := w.flows.(*transitions)
	port := w.target.Port
	switch {
	case e.local.Port() == port && (!traced || !w.own.has(e.remote.Addr())):
		row := w.held(e.remote, e.local)
		return row, w.found(row)
	case e.remote.Port() == port && (traced || !w.own.has(e.remote.Addr())):
		row := e.pid
		if row == 0 {
			row = w.held(e.local, e.remote)
		}
		return row, w.found(row)
	case e.remote.Port() == 0 && !traced && e.local.Port() != port && !w.own.has(e.remote.Addr()):
		return 0, unknown // forgotten, and to another machine: it may have been to this port
	}
	return 0, ignored
}

// ofProcess finds the watched process that a socket is of.
func (w *Watcher) ofProcess(e end) (int32, finding) {
	if w.excepts(e.local, e.remote) {
		return 0, ignored
	}
	pid := e.pid
	if pid == 0 {
		pid = w.listens[e.local.Port()]
	}
	if pid == 0 {
		pid = w.held(e.local, e.remote)
	}
	switch {
	case pid == 0 && w.uses.only(e.remote) != 0:
		return w.uses.only(e.remote), inferred
	case pid == 0:
		return 0, unknown
	case w.watches(pid):
		return pid, counts
	default:
		return 0, ignored
	}
}

// uses are the processes that were seen to connect to each address.
type uses struct {
	by map[netip.AddrPort]int32
	// seen are the sockets, by cookie, that were listed since the last count, and
	// before those that were between the two before.
	seen, before map[uint64]sighting
}

// sighting is what the lists showed of a socket.
type sighting struct {
	ours bool // a watched process held it, once
	// missed is how many lists showed it without a watched process, and since the
	// first of them.
	missed int
	since  time.Time
}

func newUses() uses { return uses{by: map[netip.AddrPort]int32{}, seen: map[uint64]sighting{}} }

// mostUses bounds what is kept of addresses: a server's clients have ever new ones.
const mostUses = 100_000

// counted begins what is between two counts.
func (u *uses) counted() {
	u.before, u.seen = u.seen, map[uint64]sighting{}
	if len(u.by) > mostUses {
		clear(u.by)
	}
}

// another stands for a process that is not watched, and for several.
const another = -1

// foreign is for how long, and looks in how many lists, a socket's process must
// not have been found among the watched ones for it to be another's. A process
// that opens and closes many has some whose descriptor is gone, or not there yet,
// when it is looked for; and the source, which looks for what it did not find in
// every other list at most, has looked a second time in the third.
const (
	foreign    = 500 * time.Millisecond
	mostMissed = 3
)

// see enters a socket of a list.
func (u *uses) see(s *socketstats.Socket, watched bool) {
	if s.State == socketstats.Listen || s.Inode == 0 {
		return
	}
	pid := s.PID
	if watched {
		u.seen[s.Cookie] = sighting{ours: true}
	} else if pid = another; !u.foreign(s.Cookie, time.Now()) {
		return
	}
	if old := u.by[s.Remote]; old != 0 && old != pid {
		pid = another
	}
	u.by[s.Remote] = pid
}

// foreign enters that a socket's process was not found, and reports whether it is
// another's. What a watched process has held is not: its descriptor is gone before
// the socket is, on a busy machine long before.
func (u *uses) foreign(cookie uint64, now time.Time) bool {
	s, ok := u.seen[cookie]
	if !ok {
		s = u.before[cookie]
	}
	if s.missed == 0 {
		s.since = now
	}
	s.missed++
	u.seen[cookie] = s
	return !s.ours && s.missed >= mostMissed && now.Sub(s.since) >= foreign
}

// only is the one process that was seen to connect to an address; 0 if there is
// none, or another.
func (u *uses) only(to netip.AddrPort) int32 { return max(0, u.by[to]) }

// held is the process that held a socket at the last count, or at the one before.
func (w *Watcher) held(local, remote netip.AddrPort) int32 {
	p := pairOf(local, remote)
	if pid := w.holder[p]; pid != 0 {
		return pid
	}
	return w.heldBefore[p]
}

// pair is a four-tuple in a form that is hashed in one piece: with thousands of
// sockets, looking them up is most of the work.
type pair [36]byte

func pairOf(local, remote netip.AddrPort) (p pair) {
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(p[0:], l[:])
	copy(p[16:], r[:])
	binary.LittleEndian.PutUint16(p[32:], local.Port())
	binary.LittleEndian.PutUint16(p[34:], remote.Port())
	return p
}

func (w *Watcher) found(row int32) finding {
	if w.watches(row) {
		return counts
	}
	return ignored
}

// ownAddresses tells this machine's addresses from others.
type ownAddresses map[netip.Addr]bool

func newOwnAddresses() ownAddresses {
	own := ownAddresses{}
	addrs, _ := net.InterfaceAddrs() // without them, loopback is still known
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				own[addr.Unmap()] = true
			}
		}
	}
	return own
}

func (o ownAddresses) has(a netip.Addr) bool { return a.IsLoopback() || o[a] }

package observe

import (
	"context"
	"math"
	"net/netip"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// destinations are the processes that were seen to connect to each address.
// Without privilege the kernel does not report who owned a connection that no list
// shows; where only one process connects to an address, it was its.
type destinations struct {
	began time.Time
	by    map[netip.AddrPort]int32
	// seen are the sockets, by cookie, that were listed since the last sample, and
	// before those that were between the two before.
	seen, before map[uint64]sighting
	lists        int // how many there were
}

// guess is a closed connection of which only where it went says whose it was. Another
// process that connects there is known by some lists later, and it counts then.
type guess struct {
	pid   int32
	to    netip.AddrPort
	as    series.ClosedConn
	lists int
	at    time.Time
}

// ripe reports whether another process that had a connection to the same address when
// this one was heard of would be known by now: it is first listed somewhat later.
func (d *destinations) ripe(g guess) bool {
	return d.lists-g.lists > foreignLists+1 && time.Since(g.at) >= 2*foreignAfter
}

// sighting is what the lists showed of a socket. It is small, as there is one of each.
type sighting struct {
	// since is when the first list showed it without a watched process, in milliseconds
	// from [destinations.began] on, and missed how many did.
	since  uint32
	missed uint16
	ours   bool // a watched process held it, once
}

func newDestinations() destinations {
	return destinations{began: time.Now(), by: map[netip.AddrPort]int32{}, seen: map[uint64]sighting{}}
}

// mostDestinations bounds what is kept of addresses: a server's clients have ever
// new ones.
const mostDestinations = 100_000

// turn begins what is between two samples.
func (d *destinations) turn() {
	d.lists++
	d.before, d.seen = d.seen, socketstats.Emptied(d.before, len(d.seen))
	if len(d.by) > mostDestinations {
		clear(d.by)
	}
}

// another stands for a process that is not watched, and for several.
const another = -1

// A socket's process is another's if it was not found among the watched ones for
// foreignAfter, in foreignLists lists. A process that opens and closes many has
// some whose descriptor is gone, or not there yet, when it is looked for; and the
// source, which looks for what it did not find in every other list at most, has
// looked a second time in the third.
const (
	foreignAfter = 500 * time.Millisecond
	foreignLists = 3
)

// see enters a socket of a list.
func (d *destinations) see(s *socketstats.Socket, ours bool) {
	if s.State == socketstats.Listen || s.Inode == 0 {
		return
	}
	pid := s.PID
	if ours {
		d.seen[s.Cookie] = sighting{ours: true}
	} else if pid = another; !d.foreign(s.Cookie, time.Now()) {
		return
	}
	if old := d.by[s.Remote]; old != 0 && old != pid {
		pid = another
	}
	d.by[s.Remote] = pid
}

// foreign enters that a socket's process was not found, and reports whether it is
// another's. What a watched process has held is not: its descriptor is gone before
// the socket is, on a busy machine long before.
func (d *destinations) foreign(cookie uint64, now time.Time) bool {
	s, ok := d.seen[cookie]
	if !ok {
		s = d.before[cookie]
	}
	at := uint32(now.Sub(d.began) / time.Millisecond) // begins anew after 49 days: the difference is right
	if s.missed == 0 {
		s.since = at
	}
	s.missed = min(s.missed, math.MaxUint16-1) + 1
	d.seen[cookie] = s
	return !s.ours && s.missed >= foreignLists && time.Duration(at-s.since)*time.Millisecond >= foreignAfter
}

// only is the one process that was seen to connect to an address; 0 if there is
// none, or another.
func (d *destinations) only(to netip.AddrPort) int32 { return max(0, d.by[to]) }

// earlyScans are the looks at destinations between two samples, so that those of
// short connections are known.
type earlyScans struct {
	done int
	took time.Duration // of the last
	// before is how many connections could not be attributed at the last sample but
	// one, and now at the last.
	before, now int
}

func (e *earlyScans) sampled(unattributed int) { e.before, e.now = e.now, unattributed }

const (
	// maxEarlyScans bounds the early scans of a watcher.
	maxEarlyScans = 1000
	// earlyScanShare is what they may take of the time: one part in so many.
	earlyScanShare = 20
)

// NextEarlyScan returns how long to wait after the last sample before the next
// [Watcher.EarlyScan], and false if none is needed: something came and went since
// the last sample but one that could not be attributed.
func (w *Watcher) NextEarlyScan() (time.Duration, bool) {
	e := &w.early
	if w.target.Port != 0 || !w.options.Details || e.done >= maxEarlyScans || e.now == e.before {
		return 0, false
	}
	return max(10*time.Millisecond, earlyScanShare*e.took), true
}

// EarlyScan notes the destinations of the watched processes between two samples.
func (w *Watcher) EarlyScan(ctx context.Context) error {
	began := time.Now()
	for _, v := range w.views {
		sort, ok := v.sort.(*byProcess)
		if !ok {
			continue
		}
		// The source finds the owners: it reads only what is new.
		q := socketstats.Query{Owners: true, OwnersAmong: w.processes.living, Thrifty: true, States: []socketstats.State{
			socketstats.SynSent, socketstats.Established, socketstats.CloseWait, socketstats.FinWait1, socketstats.FinWait2,
		}}
		sockets, err := v.source.Sockets(ctx, q)
		if err != nil {
			return err
		}
		sort.destinations.lists++
		for i := range sockets {
			_, _, ours := sort.row(&sockets[i])
			sort.destinations.see(&sockets[i], ours)
		}
	}
	w.early.done++
	w.early.took = time.Since(began)
	return nil
}

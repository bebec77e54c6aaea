package socketstats

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// sockdiagLive implements [Live].
//
// Walking the kernel's table costs a tenth of a listing and less, and asking for one
// socket costs some microseconds; most of a listing is to describe sockets that are
// ESTABLISHED and stay it. So there are three ways to read the list:
//
//   - still: no segment was sent or received in the namespace since the last call, and
//     nothing was heard. Then only listeners, timers and calls that send nothing can
//     have changed a socket. Listeners are listed, and the sockets of which that may be
//     true are asked for one by one (see unsettled).
//   - moved: as before, and everything that is not ESTABLISHED is listed. A connection
//     that was opened since was heard of; or else the counters say that there was none.
//   - anew: the whole list.
//
// The kernel counts a segment before it changes the socket, and that may take some
// time: a process may have the socket locked. So a call is still only if the counters
// did not move since the call before the last.
type sockdiagLive struct {
	source *Sockdiag
	own    *netlinkConn // with a dumpState of its own
	snmp   *snmp

	sockets []Socket
	// loose are the listeners and the unsettled ones of sockets.
	loose   []int32
	spare   []Socket // for answers
	query   Query    // of sockets; only the fields that select, and owners
	counted [2]segmentCounters
	calls   int
	// unowned says that some socket has a descriptor whose process was not found.
	unowned bool
	// alive is by how many sockets CurrEstab differs from the list.
	alive int64

	// listed is when the list was made anew, took for how long, and since counts the
	// calls after it.
	listed   time.Time
	took     time.Duration
	since    int
	repaired int
	// replaced says that a long list was replaced by the last call. Until this one the
	// caller had it.
	replaced bool
}

const (
	// checkCalls is how many calls there are at least between two lists that are made
	// anew to check, and checkShare is what they may take of the time: one part in so
	// many.
	checkCalls = 30
	checkShare = 50
	// mostAsked is how many sockets are asked for one by one, or an eighth of the list.
	mostAsked = 256
	// longList is how many sockets a list must have for the memory of the one that it
	// replaces to be given back by the next call: 5 MB.
	longList = 50_000
)

// Live is the method for [OpenLive].
func (d *Sockdiag) Live(pid int32) (Live, error) {
	own, err := openNetlinkConn(d.open)
	if err != nil {
		return nil, err
	}
	l := &sockdiagLive{source: d, own: own}
	if l.snmp, err = openSNMP(pid); err != nil {
		return nil, errors.Join(err, own.close())
	}
	return l, nil
}

// Close implements [Live].
func (l *sockdiagLive) Close() error { return errors.Join(l.own.close(), l.snmp.file.Close()) }

// Repaired implements [Live].
func (l *sockdiagLive) Repaired() int { return l.repaired }

// Sockets implements [Live].
func (l *sockdiagLive) Sockets(ctx context.Context, q Query, h Heard) ([]Socket, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	now, err := l.snmp.read()
	if err != nil {
		return nil, false, err
	}
	if l.replaced {
		l.replaced = false
		debug.FreeOSMemory()
	}
	before := l.counted
	l.counted = [2]segmentCounters{now, before[0]}
	l.calls++
	l.since++
	still := l.calls > 2 && now == before[0] && now == before[1] && len(h.Touched) == 0 && len(h.Destroyed) == 0
	opens := l.calls > 2 && now.opens == before[0].opens && now.opens == before[1].opens
	known := l.calls > 1 && !h.Lost && !q.Multipath && !q.Info && !q.Held && sameSelection(q, l.query)
	differs, done := false, false
	switch {
	case known && still:
		if done, err = l.unchanged(ctx, q); done || err != nil {
			break
		}
		differs, done, err = l.again(ctx, q, h, []State{Listen}, unsettled)
	case known && (h.Traced || opens):
		differs, done, err = l.again(ctx, q, h, notEstablished, func(s *Socket) bool { return s.State == Established && s.Inode == 0 })
		if err == nil && done && (!h.Traced || len(q.Ports) == 0) {
			done, err = l.agrees()
		}
	}
	if err == nil && (!done || l.checkIsDue()) {
		var wrong bool
		wrong, err = l.anew(ctx, q, done && still)
		differs = differs || !done || wrong
	}
	if differs {
		l.findLoose()
	}
	if q.Owners != l.query.Owners || !slices.Equal(q.OwnersAmong, l.query.OwnersAmong) {
		l.query.Owners, l.query.OwnersAmong, differs = q.Owners, slices.Clone(q.OwnersAmong), err == nil
	}
	if err == nil && (differs || q.Owners) {
		differs, err = l.attribute(q, differs)
	}
	return l.sockets, differs, err
}

var notEstablished = slices.DeleteFunc(States(), func(s State) bool { return s == Established })

func sameSelection(q, r Query) bool {
	return slices.Equal(q.Ports, r.Ports) && slices.Equal(q.States, r.States)
}

// unsettled reports whether a socket may have changed although no segment was sent or
// received: a timer ends it, accept(2) or close(2) changes its inode, or it waits to
// send and so may have been closed without a FIN.
func unsettled(s *Socket) bool {
	switch s.State {
	case Listen: // is listed
		return false
	case Established, CloseWait:
		return s.Inode == 0 || s.SendQ > 0
	default: // all others pass
	}
	return true
}

func (l *sockdiagLive) findLoose() {
	l.loose = l.loose[:0]
	for i := range l.sockets {
		if s := &l.sockets[i]; s.State == Listen || unsettled(s) {
			l.loose = append(l.loose, int32(i))
		}
	}
}

// unchanged reports whether every loose socket is as it was, where they are few. It is
// for a list of which nothing else can have changed.
func (l *sockdiagLive) unchanged(ctx context.Context, q Query) (bool, error) {
	if len(l.loose) > mostAsked {
		return false, nil
	}
	var err error
	if l.spare, err = l.listIn(ctx, q, []State{Listen}); err != nil {
		return false, err
	}
	listeners := len(l.spare)
	for _, i := range l.loose {
		s := &l.sockets[i]
		var now Socket
		if s.State == Listen {
			at := slices.IndexFunc(l.spare, func(n Socket) bool { return n.Cookie == s.Cookie })
			if at < 0 {
				return false, nil
			}
			now = l.spare[at]
			listeners--
		} else {
			var found bool
			if now, found, err = l.own.find(s.Tuple(), q); err != nil || !found {
				return false, err
			}
		}
		if !s.is(&now) {
			return false, nil
		}
		now.PID = s.PID
		*s = now
	}
	return listeners == 0, nil
}

// is reports whether nothing of a socket is other that is kept.
func (s *Socket) is(t *Socket) bool {
	return s.Cookie == t.Cookie && s.State == t.State && s.Inode == t.Inode && s.Minisock == t.Minisock
}

// listIn lists the sockets of q in some states.
func (l *sockdiagLive) listIn(ctx context.Context, q Query, states []State) ([]Socket, error) {
	if q.States = intersect(states, q.States); len(q.States) == 0 {
		return l.spare[:0], nil
	}
	list, err := l.own.dump(ctx, q, whole, l.spare[:0])
	if err != nil {
		return l.spare, fmt.Errorf("list TCP sockets through sock_diag: %w", err)
	}
	return list, nil
}

// again lists the sockets in some states, asks for those others that open or heard
// names, and enters both. done is false where that would cost too much, or where it
// contradicts what is known.
func (l *sockdiagLive) again(ctx context.Context, q Query, h Heard, states []State, open func(*Socket) bool) (differs, done bool, err error) {
	listed := make([]bool, numStates)
	for _, s := range states {
		listed[s] = true
	}
	var ask []Tuple
	most := max(mostAsked, len(l.sockets)/8)
	for t := range h.Touched {
		ask = append(ask, t)
	}
	for i := range l.sockets {
		if s := &l.sockets[i]; open(s) && !listed[s.State] {
			if ask = append(ask, s.Tuple()); len(ask) > most {
				break
			}
		}
	}
	if len(ask) > most {
		if len(states) == len(notEstablished) || len(h.Touched) > most {
			return false, false, nil
		}
		return l.again(ctx, q, h, notEstablished, func(s *Socket) bool { return s.State == Established && unsettled(s) })
	}
	if l.spare, err = l.listIn(ctx, q, states); err != nil {
		return false, false, err
	}
	fresh := make(map[uint64]int, len(l.spare))
	for i := range l.spare {
		fresh[l.spare[i].Cookie] = i
	}
	// What was about to be ESTABLISHED and is not listed any more may be it now.
	for i := range l.sockets {
		if s := &l.sockets[i]; listed[s.State] && (s.State == SynSent || s.State == SynRecv) {
			if _, there := fresh[s.Cookie]; !there {
				ask = append(ask, s.Tuple())
			}
		}
	}
	asked := make(map[Tuple]bool, len(ask))
	for _, t := range ask {
		if asked[t] {
			continue
		}
		asked[t] = true
		s, found, err := l.own.find(t, q)
		if err != nil {
			return false, false, err
		}
		if found {
			if _, twice := fresh[s.Cookie]; !twice {
				fresh[s.Cookie] = len(l.spare)
				l.spare = append(l.spare, s)
			}
		} else if to, touched := h.Touched[t]; touched && to == Established {
			return false, false, nil // it is bound to an interface, or is closed by now
		}
	}
	entered := make([]bool, len(l.spare))
	contradiction := false
	l.sockets = slices.DeleteFunc(l.sockets, func(s Socket) bool {
		if i, there := fresh[s.Cookie]; there {
			entered[i] = true
			differs = differs || !s.is(&l.spare[i])
			return false
		}
		if !listed[s.State] && !asked[s.Tuple()] && !h.Destroyed[s.Cookie] {
			return false
		}
		if _, touched := h.Touched[s.Tuple()]; s.State == Established && !touched && !h.Destroyed[s.Cookie] {
			contradiction = true
		}
		differs = true
		return true
	})
	for i := range l.sockets {
		s := &l.sockets[i]
		if at, there := fresh[s.Cookie]; there {
			l.spare[at].PID = s.PID
			*s = l.spare[at]
		}
	}
	for i, is := range entered {
		if !is {
			differs = true
			l.sockets = append(l.sockets, l.spare[i])
		}
	}
	return differs, !contradiction, nil
}

func intersect(states, wanted []State) []State {
	if len(wanted) == 0 {
		return states
	}
	return slices.DeleteFunc(slices.Clone(states), func(s State) bool { return !slices.Contains(wanted, s) })
}

// agrees reports whether the list has as many connections more or less than before as
// the kernel says.
func (l *sockdiagLive) agrees() (bool, error) {
	now, err := l.snmp.read()
	return err == nil && now.alive-l.established() == l.alive, err
}

// established is how many sockets of the list are of CurrEstab.
func (l *sockdiagLive) established() (n int64) {
	for i := range l.sockets {
		if s := l.sockets[i].State; s == Established || s == CloseWait {
			n++
		}
	}
	return n
}

func (l *sockdiagLive) checkIsDue() bool {
	return l.since >= checkCalls && time.Since(l.listed) >= checkShare*l.took
}

// anew makes the whole list. Where nothing can have changed, check asks to compare it
// with the one that it replaces; wrong says that they differ.
func (l *sockdiagLive) anew(ctx context.Context, q Query, check bool) (wrong bool, err error) {
	began := time.Now()
	q.Owners, q.Listed, q.Into = false, nil, l.sockets
	if check {
		q.Into = l.spare
	}
	if sameSelection(q, l.query) {
		q.Last = l.sockets
	}
	list, err := l.source.Sockets(ctx, q)
	if err != nil {
		l.calls = 0
		return false, err
	}
	now, err := l.snmp.read()
	if err != nil {
		return false, err
	}
	if check && now == l.counted[0] {
		if n := differences(l.sockets, list); n > 0 {
			l.repaired += n
			wrong = true
		}
	} else {
		wrong = true
	}
	if check { // it is not kept: the next check is a good while later
		l.spare = nil
	}
	l.sockets = list
	l.query.Ports, l.query.States = slices.Clone(q.Ports), slices.Clone(q.States)
	l.alive = now.alive - l.established()
	l.listed, l.took, l.since = time.Now(), time.Since(began), 0
	l.replaced = check && len(list) > longList
	return wrong, nil
}

// differences counts the sockets that only one of two lists has in a state that no timer
// ends. Those of the second get their processes from the first.
func differences(a, b []Socket) (n int) {
	if slices.EqualFunc(a, b, func(s, t Socket) bool { return s.is(&t) }) { // as it mostly is
		for i := range b {
			b[i].PID = a[i].PID
		}
		return 0
	}
	lasts := func(s *Socket) bool { return s.State == Established || s.State == CloseWait }
	before := make(map[uint64]*Socket, len(a))
	for i := range a {
		before[a[i].Cookie] = &a[i]
	}
	for i := range b {
		s := before[b[i].Cookie]
		if s != nil {
			b[i].PID = s.PID
		}
		if lasts(&b[i]) && (s == nil || s.State != b[i].State) {
			n++
		}
		delete(before, b[i].Cookie)
	}
	for _, s := range before {
		if lasts(s) {
			n++
		}
	}
	return n
}

// attribute finds the owners of the list anew, and reports whether any socket is of
// another process than before. Without all, it does so only if some owner was not found or
// has changed, and keeps the processes of sockets that have no descriptor.
func (l *sockdiagLive) attribute(q Query, all bool) (differs bool, err error) {
	l.source.mu.Lock()
	defer l.source.mu.Unlock()
	if len(l.source.conns) == 0 {
		return all, os.ErrClosed
	}
	if !all && !l.source.owners.checkSome() && !l.unowned {
		return false, nil
	}
	var before []int32
	for i := range l.sockets {
		s := &l.sockets[i]
		if !all {
			before = append(before, s.PID)
		}
		if all || s.Inode != 0 {
			s.PID = 0
		}
	}
	if !q.Owners {
		return all, nil
	}
	l.source.owners.attribute(l.sockets, q.OwnersAmong)
	l.unowned, differs = false, all
	for i := range l.sockets {
		s := &l.sockets[i]
		l.unowned = l.unowned || s.Inode != 0 && s.PID == 0
		differs = differs || s.PID != before[i]
	}
	return differs, nil
}

// find asks for one socket by its four-tuple.
func (c *netlinkConn) find(t Tuple, q Query) (Socket, bool, error) {
	const anyCookie = math.MaxUint64 // INET_DIAG_NOCOOKIE, twice
	q.States = nil
	a := diagAnswer{query: q}
	if err := c.ask(Socket{Local: t.Local, Remote: t.Remote, Cookie: anyCookie}, &a); err != nil || len(a.sockets) == 0 {
		return Socket{}, false, err
	}
	s := a.sockets[0]
	return s, s.State != Listen && s.Tuple() == t && q.wants(s), nil
}

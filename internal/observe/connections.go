package observe

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// connections keeps the ledger of what came and went, by subject.
//
// With privilege the kernel reports every change of state, with the process that
// connected. Without, it reports which sockets it destroyed, and not whose they
// were: that is known of those that were seen in a list, and of others by where
// they went.
type connections struct {
	ledger series.Ledger[row]
	// account is the subject of a process that has connections in a namespace.
	account func(pid int32, namespace uint32) row
	// begun says that there was a list.
	begun bool
	// unattributed is how many came and went that may have been anybody's.
	unattributed int
	// failed is how many attempts to connect failed of which that is so.
	failed int
}

// beforeList enters what was destroyed in a namespace up to now, while it is known who
// held what at the last list and the one before.
func (c *connections) beforeList(v *view) error {
	if v.ears == nil || v.ears.trace != nil {
		return nil
	}
	return c.hearClosings(v)
}

// afterList enters what was heard since in a namespace. What came and went before the
// first list is dropped.
func (c *connections) afterList(v *view) error {
	if v.ears == nil {
		return nil
	}
	if v.ears.trace != nil {
		if err := c.hearTransitions(v); err != nil {
			return err
		}
	}
	if v.ears.closings != nil {
		return c.hearClosings(v)
	}
	return nil
}

// alive enters the lists of all namespaces, after what was heard in each.
func (c *connections) alive(views []*view) {
	var lists [][]socketstats.Socket
	var of []*view
	for _, v := range views {
		if v.ears != nil {
			lists, of = append(lists, v.sockets), append(of, v)
		}
	}
	c.ledger.AtLeast = slices.ContainsFunc(of, func(v *view) bool { return v.ears.lost })
	c.ledger.AliveIn(lists, func(list int, s *socketstats.Socket) (row, socketstats.End, bool) {
		pid, end, found := of[list].sort.connection(socket{local: s.Local, remote: s.Remote, pid: s.PID})
		// A live socket of a watched process has it as its owner. One without may be
		// anybody's to the same destination.
		return c.account(pid, of[list].namespace), end, found == watched
	})
	c.begun = true
}

func (c *connections) hearClosings(v *view) error {
	heard, err := v.ears.hearClosed()
	if err != nil {
		return err
	}
	sort := func(closed *socketstats.Closed) (of row, as series.ClosedConn, found attribution) {
		pid, end, found := v.sort.connection(socket{closed.Local, closed.Remote, v.ears.ownerOf(closed, v.sort), closed.GivenUp()})
		if !closed.Connected && !closed.GivenUp() {
			found = notWatched // it was refused
		}
		return c.account(pid, v.namespace), series.ClosedConn{
			End: end, WithTCPInfo: !closed.Forgotten(), ShortLived: closed.ShortLived(v.sort.endAt(closed.Local)), AtOnce: closed.AtOnce(), Inferred: found == inferred, GivenUp: closed.GivenUp(),
		}, found
	}
	if v.ears.trace != nil { // which counts them
		for i := range heard {
			switch of, as, found := sort(&heard[i]); {
			case found != watched: // who connected is heard: what goes to the same address may be others'
			case as.GivenUp: // is heard of, with why
			case as.WithTCPInfo:
				c.ledger.Carried(of, as)
			}
		}
		return nil
	}
	c.ledger.Heard(heard, func(closed *socketstats.Closed) (row, series.ClosedConn, bool) {
		of, as, found := sort(closed)
		switch {
		case !c.begun:
		case !closed.Connected && !found.counted():
			c.failed++
		case found == unknown:
			c.unattributed++
		}
		if p, ok := v.sort.(*byProcess); ok && found == inferred && c.begun {
			d := &p.destinations
			v.ears.guesses = append(v.ears.guesses, guess{d.only(closed.Remote), closed.Remote, as, d.lists, time.Now()})
			return of, as, false
		}
		return of, as, found.counted()
	})
	c.settle(v)
	return nil
}

// settle enters the guesses of a namespace that have proved right.
func (c *connections) settle(v *view) {
	p, ok := v.sort.(*byProcess)
	if !ok {
		return
	}
	v.ears.guesses = slices.DeleteFunc(v.ears.guesses, func(g guess) bool {
		ripe := p.destinations.ripe(g)
		switch {
		case !ripe:
		case p.destinations.only(g.to) == g.pid:
			c.ledger.Closed(c.account(g.pid, v.namespace), g.as)
		case g.as.GivenUp:
			c.failed++
		default:
			c.unattributed++
		}
		return ripe
	})
}

func (c *connections) hearTransitions(v *view) error {
	trace := v.ears.trace
	if err := v.ears.hearTrace(); err != nil {
		return err
	}
	heard := trace.heard
	trace.heard = heard[:0]
	if !c.begun {
		return nil
	}
	v.ears.lost = trace.lost > 0
	for _, h := range heard {
		own := h.PID
		h.PID = trace.callerOf(h, v.sort)
		pid, end, found := v.sort.connection(socket{local: h.Local, remote: h.Remote, pid: h.PID})
		if !found.counted() {
			continue
		}
		trace.spend(h.From, h.StateDuration)
		if v.ears.closings != nil && h.PID != 0 {
			trace.openers.set(h.Local, h.Remote, own)
		}
		switch {
		case h.From == socketstats.SynSent && h.Err == syscall.ECONNREFUSED:
			c.ledger.Refused(c.account(pid, v.namespace), h.Remote.String())
		case h.From == socketstats.SynSent && h.To == socketstats.Close:
			if found == watched && givenUp(h) {
				c.ledger.Closed(c.account(pid, v.namespace), series.ClosedConn{End: end, GivenUp: true})
			}
		case h.To == socketstats.Established:
			c.ledger.Opened(c.account(pid, v.namespace), end)
		case h.To == socketstats.Close && connected(h.From):
			c.ledger.Closed(c.account(pid, v.namespace), series.ClosedConn{End: end})
		}
	}
	return nil
}

// givenUp reports whether an attempt to connect that has failed got no answer: its dialer's
// timeout has ended it, or the kernel after it had sent the SYN again, which it does after a
// second. A firewall or a router that says that the host cannot be reached is an answer,
// though no segment. From one on this machine it comes while the socket is in connect(2): it is no
// error of the socket then (sk_err_soft in tcp_v4_err, net/ipv4/tcp_ipv4.c), and the dialer
// closes at once.
func givenUp(h tracepoint.Transition) bool {
	const shortest = 50 * time.Millisecond // of a dialer's timeout
	switch {
	case h.StateDuration == 0, h.StateDuration >= time.Second, h.Err == syscall.ETIMEDOUT:
		return true
	default:
		return h.Err == 0 && h.StateDuration >= shortest
	}
}

// mostCallers bounds how many processes are remembered that have connected.
const mostCallers = 10_000

// callerOf is the watched process that connected, or that has started the one that did:
// a child that lives for less than the time between two samples is in none.
func (t *transitions) callerOf(h tracepoint.Transition, sort sorter) int32 {
	by, ok := sort.(*byProcess)
	if !ok || h.PID == 0 || by.processes.watched(h.PID) {
		return h.PID
	}
	if h.To == socketstats.SynSent {
		if t.callers == nil || len(t.callers) >= mostCallers {
			t.callers = map[int32]int32{}
		}
		delete(t.callers, h.PID)
		for _, above := range []int32{h.Grandparent, h.Parent} { // the nearest is the last
			if by.processes.watched(above) && by.processes.follows() {
				t.callers[h.PID] = above
			}
		}
	}
	if above := t.callers[h.PID]; above != 0 {
		return above
	}
	return h.PID
}

// opener is the process that opened a connection or, where that is in no sample, the watched one
// that has started it; 0 if that was not heard lately.
func (t *transitions) opener(local, remote netip.AddrPort, sort sorter) int32 {
	pid := t.openers.held(local, remote)
	if above := t.callers[pid]; above != 0 && !sort.(*byProcess).processes.watched(pid) {
		return above
	}
	return pid
}

// connected reports whether a socket in this state is a connection.
func connected(s socketstats.State) bool {
	switch s {
	case socketstats.SynSent, socketstats.SynRecv, socketstats.Listen, socketstats.Close:
		return false
	default:
		return true
	}
}

// enter adds what came and went to the rows of subjects, also of those that hold
// nothing now. What subjects did that have ended is the row of no process's: clients
// that come and go would fill a recording otherwise. unheard are the subjects of which
// a part is where nothing reports it.
func (c *connections) enter(r rows, m *series.Moment, views []*view, unheard map[int32]bool) {
	heard := slices.DeleteFunc(slices.Clone(views), func(v *view) bool { return v.ears == nil })
	if len(heard) == 0 {
		return
	}
	m.EventSource, m.AtLeast, m.Unattributed = "closed sockets", c.ledger.AtLeast || c.unattributed > 0, c.unattributed
	m.FailedConnects = c.failed
	if c.ledger.HearsOpened {
		m.EventSource, m.StateDurations = "tracepoint", stateDurations(heard)
	}
	for _, of := range c.ledger.Accounts() {
		if of.pid != 0 { // it may have ended
			c.ledger.Merge(of, c.account(of.pid, of.namespace))
		}
	}
	for _, of := range c.ledger.Accounts() {
		if n := c.ledger.Counts(of); n.Opened != 0 || n.Closed != 0 || n.Refused != 0 || n.GivenUp != 0 {
			r.of(of)
		}
	}
	for of, sample := range r {
		if !of.part && !unheard[of.pid] {
			sample.KernelConns = c.ledger.Counts(row{pid: of.pid, namespace: of.namespace})
		}
	}
}

// transitions is what the tracepoint says beside openings and closings.
type transitions struct {
	source *tracepoint.Listener
	filled <-chan struct{} // of source
	// heard was not entered yet, and lost is how many are known to be missing.
	heard []tracepoint.Transition
	lost  uint64
	// durations is how long sockets were in the states that they left.
	durations map[socketstats.State]*duration
	// openers are the processes themselves that opened the connections heard of lately: since
	// turned, or since the last list, and before.
	openers holders
	turned  time.Time
	// callers are the watched processes that have started others, which connected and
	// were in no sample, by the ids of those.
	callers map[int32]int32
}

// remembered is how long it is known at least who opened a connection: that it
// was closed may be heard a good while later.
const remembered = time.Second

type duration struct {
	count    int
	sum, max time.Duration
}

// openTransitions returns nil where this user may not listen, or the system cannot. It
// shares the buffer of beside, if that is not nil.
func openTransitions(o tracepoint.Options, beside *tracepoint.Listener) (*transitions, error) {
	var source *tracepoint.Listener
	var err error
	if beside != nil {
		source, err = beside.Beside(o.NetNS)
	} else {
		source, err = tracepoint.Open(o)
	}
	switch {
	case errors.Is(err, tracepoint.ErrNotAllowed), errors.Is(err, errors.ErrUnsupported):
		return nil, nil
	case err != nil:
		return nil, err
	}
	filled, err := source.Filled()
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return &transitions{source: source, filled: filled, durations: map[socketstats.State]*duration{}}, nil
}

func (t *transitions) drain() (err error) {
	t.heard, t.lost, err = t.source.Drain(t.heard)
	if now := time.Now(); now.Sub(t.turned) >= remembered {
		t.turned = now
		t.openers.turn(0)
	}
	return err
}

// spend enters how long a socket was in a state; 0 is not known.
func (t *transitions) spend(state socketstats.State, spent time.Duration) {
	if spent == 0 {
		return
	}
	if t.durations[state] == nil {
		t.durations[state] = &duration{}
	}
	d := t.durations[state]
	d.count++
	d.sum += spent
	d.max = max(d.max, spent)
}

// stateDurations lists how long sockets were in each state.
func stateDurations(views []*view) []series.StateDuration {
	var list []series.StateDuration
	millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for _, state := range socketstats.States() {
		var all duration
		for _, v := range views {
			if d := v.ears.trace.durations[state]; d != nil {
				all = duration{all.count + d.count, all.sum + d.sum, max(all.max, d.max)}
			}
		}
		if all.count > 0 {
			list = append(list, series.StateDuration{State: state, Count: all.count, MeanMS: millis(all.sum / time.Duration(all.count)), MaxMS: millis(all.max)})
		}
	}
	return list
}

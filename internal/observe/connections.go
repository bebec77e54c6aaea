package observe

import (
	"errors"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// connections keeps the ledger of what came and went, by process; 0 is no process.
//
// With privilege the kernel reports every change of state, with the process that
// connected. Without, it reports which sockets it destroyed, and not whose they
// were: that is known of those that were seen in a list, and of others by where
// they went.
type connections struct {
	ledger series.Ledger[int32]
	// trace is nil without privilege. closings is then all that is heard; with a
	// trace it only says what the closed connections carried, where that is asked.
	trace    *transitions
	closings socketstats.Closings
	owners   *socketstats.Owners
	heard    []socketstats.Closed // kept for its room
	// begun says that there was a list.
	begun bool
	// unattributed is how many came and went that may have been anybody's.
	unattributed int
}

// openConnections begins to listen, to connections to a port if it is not 0; it
// returns nil where nothing reports what came and went. owners knows who held the
// sockets of the newest list.
func openConnections(source socketstats.Source, port uint16, details bool, owners *socketstats.Owners) (*connections, error) {
	if !socketstats.ReportsInfo(source) { // its lists name no socket, and do not show the end of one
		return nil, nil
	}
	var ports []uint16
	if port != 0 {
		ports = []uint16{port}
	}
	trace, err := openTransitions(ports)
	if err != nil {
		return nil, err
	}
	c := &connections{owners: owners, trace: trace, ledger: series.Ledger[int32]{HearsOpened: trace != nil}}
	if trace == nil || details {
		if c.closings, err = socketstats.OpenClosings(source, ports); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// traced reports whether openings are heard, with the process that connected.
func (c *connections) traced() bool { return c != nil && c.trace != nil }

func (c *connections) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	if c.trace != nil {
		errs = append(errs, c.trace.source.Close())
	}
	if c.closings != nil {
		errs = append(errs, c.closings.Close())
	}
	return errors.Join(errs...)
}

// beforeList enters what was destroyed up to now, while it is known who held what at
// the last list and the one before.
func (c *connections) beforeList(s sorter) error {
	if c == nil || c.trace != nil {
		return nil
	}
	return c.hearClosings(s)
}

// afterList enters what was heard since, and the list. What came and went before
// the first list is dropped.
func (c *connections) afterList(s sorter, list []socketstats.Socket) error {
	if c == nil {
		return nil
	}
	if c.trace != nil {
		if err := c.hearTransitions(s); err != nil {
			return err
		}
	}
	if c.closings != nil {
		if err := c.hearClosings(s); err != nil {
			return err
		}
	}
	c.ledger.Alive(list, func(of *socketstats.Socket) (int32, socketstats.End, bool) {
		pid, end, found := s.connection(socket{of.Local, of.Remote, of.PID})
		return pid, end, found.counted()
	})
	c.begun = true
	return nil
}

func (c *connections) hearClosings(s sorter) error {
	heard, overflows, err := c.closings.Drain(c.heard[:0])
	if err != nil {
		return err
	}
	c.heard = heard
	sort := func(closed *socketstats.Closed) (pid int32, as series.ClosedConn, found attribution) {
		pid, end, found := s.connection(socket{closed.Local, closed.Remote, c.ownerOf(closed)})
		if !closed.Connected {
			found = notWatched // it was refused, or given up before it was established
		}
		return pid, series.ClosedConn{
			End: end, WithTCPInfo: !closed.Forgotten(), ShortLived: closed.ShortLived(end), Inferred: found == inferred,
		}, found
	}
	if c.trace != nil { // which counts them
		for i := range heard {
			if pid, as, found := sort(&heard[i]); found.counted() && as.WithTCPInfo {
				c.ledger.Carried(pid, as.End, as.ShortLived)
			}
		}
		return nil
	}
	c.ledger.AtLeast = overflows > 0
	c.ledger.Heard(heard, func(closed *socketstats.Closed) (int32, series.ClosedConn, bool) {
		pid, as, found := sort(closed)
		if found == unknown && c.begun {
			c.unattributed++
		}
		return pid, as, found.counted()
	})
	return nil
}

// ownerOf is the process that held a closed socket, as far as it was listed or,
// with privilege, heard of.
func (c *connections) ownerOf(closed *socketstats.Closed) int32 {
	if c.trace != nil {
		if pid := c.trace.openers.held(closed.Local, closed.Remote); pid != 0 {
			return pid
		}
	}
	return c.owners.PID(closed.Cookie)
}

func (c *connections) hearTransitions(s sorter) error {
	heard, lost, err := c.trace.drain()
	if err != nil || !c.begun {
		return err
	}
	c.ledger.AtLeast = lost > 0
	for _, h := range heard {
		pid, end, found := s.connection(socket{h.Local, h.Remote, h.PID})
		if !found.counted() {
			continue
		}
		c.trace.spend(h.From, h.StateDuration)
		if c.closings != nil && h.PID != 0 {
			c.trace.openers.set(h.Local, h.Remote, h.PID)
		}
		switch {
		case h.To == socketstats.Established:
			c.ledger.Opened(pid, end)
		case h.To == socketstats.Close && connected(h.From):
			c.ledger.Closed(pid, series.ClosedConn{End: end})
		}
	}
	return nil
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

// enter adds what came and went to the rows, also for processes that hold nothing
// now. What a process did that has ended and left nothing is the row of no
// process's: clients that come and go would fill a recording otherwise.
func (c *connections) enter(r rows, m *series.Moment, p *processes) {
	if c == nil {
		return
	}
	m.EventSource, m.AtLeast, m.Unattributed = "closed sockets", c.ledger.AtLeast || c.unattributed > 0, c.unattributed
	if c.trace != nil {
		m.EventSource, m.StateDurations = "tracepoint", c.trace.stateDurations()
	}
	for _, pid := range c.ledger.Accounts() {
		if r[pid] == nil && pid != 0 && p.ended(pid) {
			c.ledger.Merge(pid, 0)
		}
	}
	for _, pid := range c.ledger.Accounts() {
		if n := c.ledger.Counts(pid); n.Opened != 0 || n.Closed != 0 {
			r.of(pid)
		}
	}
	for pid, row := range r {
		row.KernelConns = c.ledger.Counts(pid)
	}
}

// transitions is what the tracepoint says beside openings and closings.
type transitions struct {
	source *tracepoint.Listener
	heard  []tracepoint.Transition // kept for its room
	// durations is how long sockets were in the states that they left.
	durations map[socketstats.State]*duration
	// openers are the processes that opened the connections heard of lately: since
	// turned, or since the last list, and before.
	openers holders
	turned  time.Time
}

// remembered is how long it is known at least who opened a connection: that it
// was closed may be heard a good while later.
const remembered = time.Second

type duration struct {
	count    int
	sum, max time.Duration
}

// openTransitions returns nil where this user may not listen, or the system cannot.
func openTransitions(ports []uint16) (*transitions, error) {
	source, err := tracepoint.Open(tracepoint.Options{Ports: ports})
	switch {
	case errors.Is(err, tracepoint.ErrNotAllowed), errors.Is(err, errors.ErrUnsupported):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &transitions{source: source, durations: map[socketstats.State]*duration{}}, nil
}

func (t *transitions) drain() (heard []tracepoint.Transition, lost uint64, err error) {
	heard, lost, err = t.source.Drain(t.heard[:0])
	t.heard = heard
	if now := time.Now(); now.Sub(t.turned) >= remembered {
		t.turned = now
		t.openers.turn(0)
	}
	return heard, lost, err
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
func (t *transitions) stateDurations() []series.StateDuration {
	var list []series.StateDuration
	millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for _, state := range socketstats.States() {
		if d := t.durations[state]; d != nil {
			list = append(list, series.StateDuration{State: state, Count: d.count, MeanMS: millis(d.sum / time.Duration(d.count)), MaxMS: millis(d.max)})
		}
	}
	return list
}

package observe

import (
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// transitions derives flows from every change of state, which the kernel tells
// the privileged, with the process that connected.
type transitions struct {
	source *tracepoint.Listener

	begun bool
	total accounts // heard
	heard []tracepoint.Transition
	// base are the connections that were alive at the beginning, as opened, and
	// unheard the closings that the last list showed and that were not heard.
	base    accounts
	unheard map[int32]int
	// spent is how long sockets were in the states that they left.
	spent map[socketstats.State]*spent
	lost  bool
	// born are the processes that opened the connections heard of since turned,
	// or since the last list, and bornBefore before.
	remember         bool
	born, bornBefore map[pair]int32
	turned           time.Time
}

// remembered is how long it is known at least who opened a connection: that it
// was closed may be heard a good while later.
const remembered = time.Second

type spent struct {
	times int
	sum   time.Duration
	most  time.Duration
}

func (*transitions) name() string { return "tracepoint" }

func (t *transitions) Close() error { return t.source.Close() }

// before drops what was heard before the first list.
func (t *transitions) before(rowOf) error {
	if t.begun {
		return nil
	}
	t.begun, t.total, t.spent = true, accounts{}, map[socketstats.State]*spent{}
	_, _, err := t.source.Drain(nil)
	return err
}

func (t *transitions) after(list []socketstats.Socket, who rowOf) (accounts, bool, error) {
	heard, lost, err := t.source.Drain(t.heard[:0])
	if err != nil {
		return nil, false, err
	}
	t.heard, t.lost = heard, lost > 0
	if now := time.Now(); now.Sub(t.turned) >= remembered {
		t.turned, t.bornBefore, t.born = now, t.born, map[pair]int32{}
	}
	for _, h := range heard {
		row, verdict := who(end{h.Local, h.Remote, h.PID})
		if verdict != counts && verdict != inferred {
			continue
		}
		if t.remember && h.PID != 0 {
			t.born[pairOf(h.Local, h.Remote)] = h.PID
		}
		if h.StateDuration > 0 {
			t.spend(h.From, h.StateDuration)
		}
		switch {
		case h.To == socketstats.Established:
			t.total.of(row).opened++
		case h.To == socketstats.Close && connected(h.From):
			t.total.of(row).closed++
		}
	}
	return t.corrected(countAlive(list, nil, who)), t.lost, nil
}

// corrected adds the closings that were not heard: a connection that was there
// or was opened is alive or closed. Some virtual machines' kernels hide timers,
// and what TCP does in them, from all tracing. What two lists in a row show to
// be gone was closed; by one alone it may only have been opened after it.
func (t *transitions) corrected(alive accounts) accounts {
	if t.base == nil { // what was heard while the first list was made is in it
		t.base, t.unheard, t.total = alive, map[int32]int{}, accounts{}
	}
	all, now := accounts{}, map[int32]int{}
	for _, rows := range []accounts{t.total, t.base} {
		for row := range rows {
			heard := t.total.of(row)
			now[row] = t.base.of(row).opened + heard.opened - heard.closed - alive.of(row).opened
			*all.of(row) = account{opened: heard.opened, closed: heard.closed + max(0, min(now[row], t.unheard[row]))}
		}
	}
	t.unheard = now
	return all
}

// bornTo is the process that opened a connection, if that was heard lately.
func (t *transitions) bornTo(p pair) int32 {
	if pid := t.born[p]; pid != 0 {
		return pid
	}
	return t.bornBefore[p]
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

func (t *transitions) spend(s socketstats.State, d time.Duration) {
	if t.spent[s] == nil {
		t.spent[s] = &spent{}
	}
	of := t.spent[s]
	of.times++
	of.sum += d
	of.most = max(of.most, d)
}

// states lists how long sockets were in each state.
func (t *transitions) states() []StateDuration {
	var list []StateDuration
	for _, state := range socketstats.States() {
		if s := t.spent[state]; s != nil {
			millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			list = append(list, StateDuration{State: state, Times: s.times, MeanMS: millis(s.sum / time.Duration(s.times)), MaxMS: millis(s.most)})
		}
	}
	return list
}

package watch

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
	total tallies
	heard []tracepoint.Transition
	// spent is how long sockets were in the states that they left.
	spent map[socketstats.State]*spent
	lost  bool
}

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
	t.begun, t.total, t.spent = true, tallies{}, map[socketstats.State]*spent{}
	_, _, err := t.source.Drain(nil)
	return err
}

func (t *transitions) after(_ []socketstats.Socket, who rowOf) (tallies, bool, error) {
	heard, lost, err := t.source.Drain(t.heard[:0])
	if err != nil {
		return nil, false, err
	}
	t.heard, t.lost = heard, lost > 0
	for _, h := range heard {
		row, verdict := who(end{h.Local, h.Remote, h.PID})
		if verdict != counts {
			continue
		}
		if h.Spent > 0 {
			t.spend(h.From, h.Spent)
		}
		switch {
		case h.To == socketstats.Established:
			t.total.of(row).opened++
		case h.To == socketstats.Close && connected(h.From):
			t.total.of(row).closed++
		}
	}
	return t.total, t.lost, nil
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
func (t *transitions) states() []Spent {
	var list []Spent
	for _, state := range socketstats.States() {
		if s := t.spent[state]; s != nil {
			millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			list = append(list, Spent{State: state, Times: s.times, MeanMS: millis(s.sum / time.Duration(s.times)), MaxMS: millis(s.most)})
		}
	}
	return list
}

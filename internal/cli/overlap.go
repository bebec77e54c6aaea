package cli

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"

	"socketlab/internal/scenario"
)

const (
	// Runs mostly wait, so that more of them than processors may go on at once: of those
	// that expect a latency no more than this for each processor, and at most, as
	// neighbours make it longer.
	exactRuns, exactRunsOfAll = 3, 12
	// More go on where processors are idle.
	mostRuns, mostRunsOfAll = 6, 24
	// idleFrom is how much of all processors may be in use when another run begins.
	idleFrom = 0.75
	// apart is the time from the begin of one run to that of the next: until then the
	// first one's processes are not in the measured load.
	apart = 150 * time.Millisecond
	// loadWindow is the time over which the load is measured.
	loadWindow = 200 * time.Millisecond
)

// overlap decides when another isolated run may begin beside those under way: while
// processors are idle, whoever uses them.
type overlap struct {
	fixed      int // this many at once, whatever the load; 0 is by the load
	processors int
	load       func() (busy float64, known bool)
	began      time.Time // the last run
	exact      int       // runs under way that expect a latency
	all        int       // runs under way
}

func newOverlap(fixed int) *overlap {
	var m loadMeter
	return &overlap{fixed: fixed, processors: runtime.GOMAXPROCS(0), load: m.busy}
}

// room reports whether a run may begin now.
func (o *overlap) room(s scenario.Script, now time.Time) bool {
	if o.fixed > 0 {
		return o.all < o.fixed
	}
	always, most := min(exactRuns*o.processors, exactRunsOfAll), min(mostRuns*o.processors, mostRunsOfAll)
	switch {
	case o.all < always:
		return true
	case o.exact > 0, isExact(s), o.all >= most, now.Sub(o.began) < apart:
		return false
	}
	busy, known := o.load()
	return known && busy < idleFrom
}

func (o *overlap) begin(s scenario.Script, now time.Time) {
	o.began = now
	o.all++
	if isExact(s) {
		o.exact++
	}
}

func (o *overlap) end(s scenario.Script) {
	o.all--
	if isExact(s) {
		o.exact--
	}
}

// isExact reports whether a script expects a latency, which neighbours make longer.
func isExact(s scenario.Script) bool {
	return slices.ContainsFunc(slices.Concat(s.Expect.Faulty, s.Expect.Fixed), func(e scenario.Expectation) bool {
		return strings.Contains(e.Metric, "latency") || strings.Contains(e.Other, "latency")
	})
}

// inOrder returns the places of the scripts in the order in which they are begun where
// they overlap: those that expect a latency after the others, and the longest first,
// so that none is left alone at the end.
func inOrder(scripts []scenario.Script) []int {
	order := make([]int, len(scripts))
	for i := range order {
		order[i] = i
	}
	rank := func(i int) int {
		if isExact(scripts[i]) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(scripts[b].Length(), scripts[a].Length()))
	})
	return order
}

// loadMeter measures how much of the processors is in use.
type loadMeter struct {
	at        time.Time
	all, idle float64 // seconds up to then
	last      float64
}

// busy returns the share of all processors that was in use between the last two looks,
// and false where the system does not say, or at first.
func (m *loadMeter) busy() (float64, bool) {
	now := time.Now()
	if now.Sub(m.at) < loadWindow {
		return m.last, m.last >= 0
	}
	times, err := cpu.Times(false)
	if err != nil || len(times) == 0 {
		return 0, false
	}
	t := times[0]
	idle := t.Idle + t.Iowait
	all := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal + idle
	if m.at.IsZero() || all <= m.all {
		m.last = -1
	} else {
		m.last = 1 - (idle-m.idle)/(all-m.all)
	}
	m.at, m.all, m.idle = now, all, idle
	return m.last, m.last >= 0
}

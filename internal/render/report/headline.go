package report

import (
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
)

// headlineMetric is a measure that a headline may be made of.
type headlineMetric struct {
	// metrics are what scripts call it; one that ends with a point stands for
	// all that begin with it.
	metrics []string
	// name is what stands before a time, or what is counted, one of it.
	name string
	// what says which of them are counted; "" where the name says it all.
	what string
	// of is what a side's charts show of it; nil where it is the first of
	// metrics. atServer says that these are the server's charts.
	of       func(*render.Side) int
	atServer bool
}

// headlineMetrics are in the order in which they are taken where several tell the
// sides apart as much.
var headlineMetrics = []headlineMetric{
	{metrics: []string{"client.peak."}, name: "socket", of: most},
	{metrics: []string{"server.peak."}, name: "socket", what: " at the server", of: most, atServer: true},
	{metrics: []string{"client.final."}, name: "socket", what: " left open", of: held},
	{metrics: []string{"server.final."}, name: "socket", what: " left open at the server", of: held, atServer: true},
	{metrics: []string{"connections.opened"}, name: "connection", what: " opened"},
	{metrics: []string{"requests.in_flight"}, name: "request", what: " left waiting"},
	{metrics: []string{"requests.failed", "requests.errors."}, name: "request", what: " failed"},
	{metrics: []string{"requests.attempts"}, name: "attempt"},
	{metrics: []string{"max_age_ms"}, name: "Oldest socket"},
	{metrics: []string{"latency_ms.max", "latency_ms.p99"}, name: "Longest wait"},
	{metrics: []string{"latency_ms.p50"}, name: "Median wait"},
}

func most(s *render.Side) int { return s.Most }
func held(s *render.Side) int { return s.Held }

func (t *headlineMetric) isTime() bool { return scenario.IsTime(t.metrics[0]) }

// expectedBy reports whether a script expects something of the measure.
func (t *headlineMetric) expectedBy(s *scenario.Script) bool {
	return slices.ContainsFunc(slices.Concat(s.Expect.Faulty, s.Expect.Fixed), func(e scenario.Expectation) bool {
		return slices.ContainsFunc(t.metrics, func(name string) bool {
			return e.Metric == name || strings.HasSuffix(name, ".") && strings.HasPrefix(e.Metric, name)
		})
	})
}

// candidate is a measure with what it is on both sides.
type candidate struct {
	*headlineMetric
	snapshot      *render.Snapshot
	faulty, fixed float64
}

// text measures; false says that a side's value is not known.
func (t *headlineMetric) text(run *lab.Run, client, server *render.Snapshot) (candidate, bool) {
	v := candidate{headlineMetric: t, snapshot: client}
	if t.atServer {
		v.snapshot = server
	}
	if t.of != nil {
		v.faulty, v.fixed = float64(t.of(&v.snapshot.Faulty)), float64(t.of(&v.snapshot.Fixed))
		return v, true
	}
	metric := t.metrics[0]
	for _, side := range scenario.Sides() {
		if r := run.Of(side).Report; !r.Knows(metric) || unanswered(metric, r) {
			return v, false
		}
	}
	v.faulty, _ = run.Faulty.Metric(metric)
	v.fixed, _ = run.Fixed.Metric(metric)
	return v, true
}

func (t *candidate) String() string {
	of := func(v float64) string {
		if t.isTime() {
			return t.name + " " + ms(v)
		}
		return plural(int(v), t.name) + t.what
	}
	switch {
	case t.faulty == t.fixed:
		return of(t.faulty) + " on both sides"
	case t.isTime():
		return of(t.faulty) + " against " + ms(t.fixed)
	default:
		return fmt.Sprintf("%s against %.0f", of(t.faulty), t.fixed)
	}
}

// farthest is the measure of which one side has the most times what the other
// has; nil if it has clearly more of none.
func farthest(all []candidate, side scenario.Side) *candidate {
	var found *candidate
	most := 0.0
	for i := range all {
		more, less := all[i].faulty, all[i].fixed
		if side == scenario.Fixed {
			more, less = less, more
		}
		times := (more + 1) / (less + 1) // so that 0 can be compared, too
		if clearlyMore(more, less) && times > most {
			found, most = &all[i], times
		}
	}
	return found
}

// clearlyMore reports whether a value is half as much again as another.
func clearlyMore[N int | float64](more, less N) bool { return more > less && 2*more >= 3*less }

// headline is a run in two numbers, and the snapshot that belongs to them. They
// are of the measure of which the faulty side has the most times what the fixed
// one has: of those that the script expects something of, so that it is the
// lesson's, or if it has clearly more of none of them, of all that are counted.
// Times are not, because they differ by themselves. Where the faulty side has
// clearly more of nothing, it is what the fixed side has more of, and a run whose
// sides nothing tells apart says that. So does one whose script expects the same
// of both, if that was met: what differs then is chance.
func headline(run *lab.Run, client, server *render.Snapshot) (string, *render.Snapshot) {
	var lesson, counts []candidate
	for i := range headlineMetrics {
		t, known := headlineMetrics[i].text(run, client, server)
		if !known {
			continue
		}
		if t.expectedBy(&run.Script) {
			lesson = append(lesson, t)
		}
		if !t.isTime() {
			counts = append(counts, t)
		}
	}
	sides := scenario.Sides()
	if isControl(&run.Script) && expect.Judge(run).OK {
		sides = nil
	}
	for _, side := range sides {
		for _, some := range [][]candidate{lesson, counts} {
			if t := farthest(some, side); t != nil {
				return t.String(), t.end(client, server)
			}
		}
	}
	t := append(lesson, counts...)[0] // there always are counts: those of the charts
	if t.faulty != t.fixed {
		return t.String() + ", about alike", t.end(client, server)
	}
	return t.String(), t.end(client, server)
}

// isControl reports whether a script expects the same of both sides.
func isControl(s *scenario.Script) bool {
	return len(s.Expect.Faulty) > 0 && slices.EqualFunc(s.Expect.Faulty, s.Expect.Fixed, func(a, b scenario.Expectation) bool {
		return a.String() == b.String()
	})
}

// end is the snapshot whose charts come first: the one that has the measure or,
// if neither has, the one that shows a difference.
func (t *candidate) end(client, server *render.Snapshot) *render.Snapshot {
	if t.of != nil {
		return t.snapshot
	}
	return headlineOf(client, server)
}

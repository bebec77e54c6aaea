package render

import (
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// headlines are the metrics that a headline may be made of beside those that a script
// expects something of, in the order in which they are taken where several tell the
// sides apart as much. docs/reports.md lists them.
var headlines = []string{
	"client.peak.total", "server.peak.open", "client.final.open", "server.final.open",
	"connections.opened", "requests.in_flight", "requests.failed", "requests.attempts",
}

// headline is an observation in a few words, and the end whose charts come first.
//
// Of a comparison these are two numbers: of the script's headline, or where it names
// none or the faulty side has not clearly more of it, of the metric of which the faulty side has
// the most times what the fixed one has, of those that the script expects something
// of, so that it is the lesson's; or if it has clearly more of none of them, of
// those that are always counted. Where the faulty side has clearly more of nothing,
// it is what the fixed side has more of, and a run whose sides nothing tells apart
// says that. So does one whose script expects the same of both, if that was met:
// what differs then is chance.
//
// Of all else it is the verdict that matters most.
func (o *Observed) headline() (string, socketstats.End) {
	faulty, fixed, pair := o.pair()
	if !pair {
		return o.found(), FullerEnd(o.Observation)
	}
	var lesson, counts []candidate
	for _, name := range o.expected() {
		if c, known := candidateOf(name, faulty, fixed); known {
			lesson = append(lesson, c)
		}
	}
	for _, name := range headlines {
		if c, known := candidateOf(name, faulty, fixed); known {
			counts = append(counts, c)
		}
	}
	if c, known := o.scriptsHeadline(faulty, fixed); known && clearlyMore(c.faulty, c.fixed) {
		return c.String(), o.endOf(c.Name)
	}
	if !o.isControl() || !o.Result.OK {
		for _, side := range scenario.Sides() {
			for _, some := range [][]candidate{lesson, counts} {
				if c := farthest(some, side); c != nil {
					return c.String(), o.endOf(c.Name)
				}
			}
		}
	}
	all := append(lesson, counts...)
	if len(all) == 0 {
		return "No sample", socketstats.Client
	}
	text := all[0].String()
	if all[0].faulty != all[0].fixed {
		text += ", about alike"
	}
	return text, o.endOf(all[0].Name)
}

// scriptsHeadline is the metric that the script names as its headline; false where it
// names none.
func (o *Observed) scriptsHeadline(faulty, fixed *series.Subject) (candidate, bool) {
	if o.Script == nil || o.Script.Headline == "" || o.Observation.Commands != nil {
		return candidate{}, false
	}
	return candidateOf(o.Script.Headline, faulty, fixed)
}

// repeats reports whether a snapshot's sentence would say again what the headline says.
func (o *Observed) repeats(s *Snapshot, line string) bool {
	faulty, fixed, pair := o.pair()
	if !pair || !s.endsWithHeadline() {
		return false
	}
	c, known := o.scriptsHeadline(faulty, fixed)
	return known && line == c.String()
}

// found is the verdict that matters most, and how many processes have a fault.
func (o *Observed) found() string {
	worst, faults, judged := o.Worst(), 0, 0
	for _, s := range o.Observation.Subjects {
		v := o.Result.Verdicts[s.ID]
		if v.Kind != "" {
			judged++
		}
		if v.IsFault() {
			faults++
		}
	}
	switch {
	case worst.Kind == "":
		return words.Plural(len(o.Observation.Subjects), "process", "processes")
	case judged <= 1 || faults == 0:
		return Label(worst)
	}
	return fmt.Sprintf("%s, %d of %d with a fault", Label(worst), faults, judged)
}

// expected are the metrics that the script expects something of.
func (o *Observed) expected() (names []string) {
	for _, e := range slices.Concat(o.Script.Expect.Faulty, o.Script.Expect.Fixed) {
		if e.Metric != scenario.VerdictMetric && !slices.Contains(names, e.Metric) {
			names = append(names, e.Metric)
		}
	}
	return names
}

// isControl reports whether the script expects the same of both sides.
func (o *Observed) isControl() bool {
	x := o.Script.Expect
	return len(x.Faulty) > 0 && slices.EqualFunc(x.Faulty, x.Fixed, func(a, b scenario.Expectation) bool { return a.String() == b.String() })
}

// endOf is the end whose charts come first beside a metric: that of the metric, or
// else the one that shows the difference: the client's, unless only the server has
// clearly more sockets on the faulty side. A server that closes first has what
// TIME_WAIT there is.
func (o *Observed) endOf(name string) socketstats.End {
	faulty, fixed, _ := o.pair()
	shows := func(end socketstats.End) bool {
		return clearlyMore(float64(faulty.Peak(end).Total()), float64(fixed.Peak(end).Total()))
	}
	switch {
	case strings.HasPrefix(name, "client."):
		return socketstats.Client
	case strings.HasPrefix(name, "server."), !shows(socketstats.Client) && shows(socketstats.Server):
		return socketstats.Server
	}
	return socketstats.Client
}

// candidate is a metric with what it is on both sides.
type candidate struct {
	metric.Metric
	faulty, fixed float64
}

// candidateOf reports false if a side's value is not known.
func candidateOf(name string, faulty, fixed *series.Subject) (candidate, bool) {
	c := candidate{Metric: metric.MustLookup(name)}
	var knownA, knownB bool
	c.faulty, knownA = c.Get(faulty)
	c.fixed, knownB = c.Get(fixed)
	return c, knownA && knownB
}

func (c *candidate) String() string {
	text := c.Phrase(c.faulty)
	text = upper(text)
	if c.faulty == c.fixed {
		return text + " on both sides"
	}
	return text + " against " + c.Format(c.fixed)
}

// farthest is the metric of which one side has the most times what the other has;
// nil if it has clearly more of none.
func farthest(all []candidate, side scenario.Side) *candidate {
	var found *candidate
	most := 0.0
	for i := range all {
		more, less := all[i].faulty, all[i].fixed
		if side == scenario.Fixed {
			more, less = less, more
		}
		times := (more + 1) / (max(less, 0) + 1) // so that 0 can be compared, too
		if clearlyMore(more, less) && times > most {
			found, most = &all[i], times
		}
	}
	return found
}

// clearlyMore reports whether a value is half as much again as another.
func clearlyMore(more, less float64) bool { return more > less && 2*more >= 3*less }

// Package judge judges a finished run: whether each side leaks, what kind of
// leak it is, and whether the run showed what its script promised.
//
// It is a pure function of the run. For now a kind comes from the script: a
// side has the script's fault if it shows everything that the script expects
// of the faulty side, whichever side it is.
package judge

import (
	"fmt"
	"slices"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
)

// Kinds of verdict that no script names.
const (
	// Healthy: the side shows all that is expected of a fixed one.
	Healthy = "healthy"
	// Unclear: the side shows neither all that is expected of a faulty one,
	// nor all that is expected of a fixed one.
	Unclear = "unclear"
	// LimitReached: the side was stopped because it held too many descriptors.
	LimitReached = "descriptor-limit-reached"
)

// Verdict is what one side shows.
type Verdict struct {
	Leak bool `json:"leak"`
	// Kind is Healthy, Unclear, LimitReached, or the script's fault.
	Kind string `json:"kind"`
	// GrowthPerSecond is the trend of the sockets at the end that has more
	// growth, while the load lasted: the median slope of all pairs of
	// samples (Theil and Sen), in sockets a second of real time.
	GrowthPerSecond float64 `json:"growth_per_second"`
	// Evidence is one or two sentences with the numbers.
	Evidence []string `json:"evidence"`
	// Fix says how to mend it; "" for a healthy side.
	Fix string `json:"fix"`
}

// Result is one expectation, held against a run.
type Result struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
	Got  string `json:"got"`
	// Skipped says why the expectation could not be judged; it counts then
	// neither as met nor as failed.
	Skipped string `json:"skipped,omitempty"`
}

// Judgement is all that a run says.
type Judgement struct {
	Faulty, Fixed Verdict
	Features      []Feature
	Expectations  []Result
	// OK says that the run went to its end and met every expectation.
	OK bool
}

// Of returns one side's verdict.
func (j Judgement) Of(side scenario.Side) Verdict {
	if side == scenario.Faulty {
		return j.Faulty
	}
	return j.Fixed
}

// Judge judges a run.
func Judge(run *lab.Run) Judgement {
	j := Judgement{
		Faulty:       judgeSide(run, &run.Faulty),
		Fixed:        judgeSide(run, &run.Fixed),
		Features:     features(run),
		Expectations: []Result{sameWork(run)},
	}
	for _, side := range scenario.Sides() {
		for _, e := range run.Script.Expect.Of(side) {
			r := expect(run, run.Of(side), e)
			r.Text = fmt.Sprintf("%s: %s", side, r.Text)
			j.Expectations = append(j.Expectations, r)
		}
	}
	for _, side := range scenario.Sides() {
		if r, ok := sameConnections(run, side); ok {
			j.Expectations = append(j.Expectations, r)
		}
	}
	j.OK = run.Stopped == "" && allHold(j.Expectations)
	return j
}

// sameWork checks what makes the sides comparable at all.
func sameWork(run *lab.Run) Result {
	faulty, fixed := run.Faulty.Report.Requests.Sent, run.Fixed.Report.Requests.Sent
	r := Result{
		Text: "both sides sent the same number of requests",
		Met:  faulty == fixed && faulty > 0,
		Got:  fmt.Sprintf("%d and %d", faulty, fixed),
	}
	if run.Stopped != "" {
		r.Skipped = "the run ended early"
	}
	return r
}

// sameConnections holds what a client says that it opened against what the
// kernel saw, and returns false where the kernel was not asked. The kernel was
// asked before the client and after it.
func sameConnections(run *lab.Run, side scenario.Side) (Result, bool) {
	s := run.Of(side)
	before, after := s.Sampled, s.Connections
	if before == nil || after == nil {
		return Result{}, false
	}
	said := int(s.Report.Connections.Opened)
	r := Result{
		Text: fmt.Sprintf("%s: the kernel saw as many connections opened as the client", side),
		Met:  before.Opened <= said && said <= after.Opened,
		Got:  fmt.Sprintf("%d and %d", after.Opened, said),
	}
	switch {
	case run.Stopped != "":
		r.Skipped = "the run ended early"
	case after.AtLeast:
		r.Skipped = "the kernel's buffer overflowed: it saw at least that many"
	}
	return r, true
}

func expect(run *lab.Run, side *lab.Side, e scenario.Expectation) Result {
	r := Result{Text: e.String()}
	if run.Stopped != "" {
		r.Skipped = "the run ended early"
		return r
	}
	for _, state := range e.States() {
		if slices.Contains(run.Blind, state) {
			r.Skipped = fmt.Sprintf("%s cannot be seen here by %s", state, run.Source)
			return r
		}
	}
	got, ok := side.Metric(e.Metric)
	if !ok {
		r.Skipped = "no such figure: " + e.Metric
		return r
	}
	r.Got = lab.Format(e.Metric, got)
	want := e.Value
	if e.Other != "" {
		want, _ = side.Metric(e.Other)
		r.Got += " and " + lab.Format(e.Other, want)
	}
	r.Met = e.Holds(got, want)
	return r
}

func allHold(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return !r.Met && r.Skipped == "" })
}

// shows reports whether a side shows all that is expected of a kind of side.
func shows(run *lab.Run, side *lab.Side, expectations []scenario.Expectation) bool {
	var results []Result
	for _, e := range expectations {
		results = append(results, expect(run, side, e))
	}
	return allHold(results)
}

func judgeSide(run *lab.Run, side *lab.Side) Verdict {
	v := Verdict{GrowthPerSecond: growth(side, total), Evidence: evidence(side)}
	fault := run.Script.Fault
	switch {
	case side.Report.Stopped != "":
		v.Leak, v.Kind = true, LimitReached
		v.Evidence = append(v.Evidence, "The load was stopped: the process "+side.Report.Stopped+".")
	case run.Stopped != "":
		v.Kind = Unclear
	case fault != nil && shows(run, side, run.Script.Expect.Faulty):
		v.Leak, v.Kind = true, fault.Kind
	case shows(run, side, run.Script.Expect.Fixed):
		v.Kind = Healthy
	default:
		v.Kind = Unclear
	}
	if v.Leak && fault != nil {
		v.Fix = fault.Fix
	}
	return v
}

func evidence(side *lab.Side) []string {
	r := side.Report
	sentences := []string{fmt.Sprintf("%d requests opened %d connections, and %d of them reused one.",
		r.Requests.Sent, r.Connections.Opened, r.Connections.Reused)}
	if waiting := r.Requests.Waiting; waiting > 0 {
		sentences = append(sentences, fmt.Sprintf("%d wait for their answer.", waiting))
	}
	if r.Requests.Failed > 0 {
		sentences = append(sentences, fmt.Sprintf("%d failed: %s.", r.Requests.Failed, r.Requests.ErrorList()))
	}
	return append(sentences, fmt.Sprintf("At the end the client's end had %s, the server's end %s.",
		stateList(side.Client.Final), stateList(side.Server.Final)))
}

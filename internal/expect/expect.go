// Package expect says what a finished run showed: what each side is, by
// internal/verdict, whether the run showed what its script promised, and the
// original incident's comparison. It is a pure function of the run.
package expect

import (
	"fmt"
	"slices"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
)

// Result is one expectation, held against a run.
type Result struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
	Got  string `json:"got"`
	// Skipped says why the expectation could not be judged; it counts then
	// neither as met nor as failed.
	Skipped string `json:"skipped,omitempty"`
}

// Outcome is all that a run says.
type Outcome struct {
	Faulty, Fixed verdict.Verdict
	Features      []Feature
	Expectations  []Result
	// OK says that the run went to its end and met every expectation.
	OK bool
}

// Of returns one side's verdict.
func (j Outcome) Of(side scenario.Side) verdict.Verdict {
	if side == scenario.Faulty {
		return j.Faulty
	}
	return j.Fixed
}

// Judge judges a run.
func Judge(run *lab.Run) Outcome {
	j := Outcome{
		Faulty:       judgeSide(run, scenario.Faulty),
		Fixed:        judgeSide(run, scenario.Fixed),
		Features:     features(run),
		Expectations: []Result{sameWork(run)},
	}
	for _, side := range scenario.Sides() {
		for _, e := range run.Script.Expect.Of(side) {
			r := expect(run, run.Of(side), j.Of(side), e)
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
	switch {
	case run.Stopped != "":
		r.Skipped = "the run ended early"
	case !run.Faulty.Report.Knows("requests") || !run.Fixed.Report.Knows("requests"):
		r.Skipped = "the requests are not known"
	case run.Commands != nil && !r.Met && (!run.Faulty.Report.Done || !run.Fixed.Report.Done):
		r.Skipped = "a command was still at work when its time was over"
	}
	return r
}

// sameConnections holds what a client says that it opened against what the
// kernel saw, and returns false where the kernel was not asked, where it was
// the kernel that said it of a command, and where a server opened connections,
// too. The kernel was asked before the client
// and after it.
func sameConnections(run *lab.Run, side scenario.Side) (Result, bool) {
	s := run.Of(side)
	before, after := s.Sampled, s.Connections
	if before == nil || after == nil || run.Commands != nil || run.Relayed {
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

func expect(run *lab.Run, side *lab.Side, found verdict.Verdict, e scenario.Expectation) Result {
	r := Result{Text: e.String()}
	if run.Stopped != "" {
		r.Skipped = "the run ended early"
		return r
	}
	if e.Metric == scenario.VerdictMetric {
		r.Got, r.Met = string(found.Kind), e.HoldsFor(found)
		return r
	}
	for _, state := range e.States() {
		if slices.Contains(run.UnsupportedStates, state) {
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

// judgeSide asks the engine. The fix that a script has for its own fault is
// closer to its code than the general one.
func judgeSide(run *lab.Run, side scenario.Side) verdict.Verdict {
	v := verdict.Diagnose(series(run, side))
	if fault := run.Script.Fault; fault != nil && v.Leak && fault.Kind == string(v.Kind) {
		v.Fix = fault.Fix
	}
	return v
}

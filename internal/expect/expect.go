// Package expect says what a finished observation of a script showed: what each
// subject is, by internal/verdict, whether it showed what the script promises, and
// the original incident's comparison. It is a pure function of the observation.
package expect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
	"socketlab/internal/words"

	// The protocols that a script may name register themselves.
	_ "socketlab/internal/server"
)

// Result is all that an observation says of its script.
type Result struct {
	// Verdicts are by the id of their subject; of a run on Kubernetes there is one on each
	// client, too.
	Verdicts     map[string]verdict.Verdict
	Features     []Feature
	Expectations []Outcome
	// OK says that the observation went to its end and met every expectation.
	OK bool
	// Unreached says that no request of any subject got through, by which errors,
	// and that the script does not expect that; "" otherwise. Such an observation
	// shows nothing.
	Unreached string
	// Unsent says of which sides the program called requests answered although nothing
	// came to the run's servers; "" where none did. Such an observation proves nothing.
	Unsent string
}

// Outcome is one expectation, held against what was observed.
type Outcome struct {
	Text string
	Met  bool
	Got  string
	// Skipped says why the expectation could not be judged; it counts then
	// neither as met nor as failed.
	Skipped string
}

// Failed reports whether the expectation was judged and not met.
func (o Outcome) Failed() bool { return !o.Met && o.Skipped == "" }

// endedEarly is why nothing is held against an observation that was stopped.
const endedEarly = "the run ended early"

// ScriptOf returns the script of an observation, at the speed at which it was
// played. That of a comparison of two commands expects what proves a fix: a fault
// on the faulty side, and none on the fixed one. The error is of a script that
// cannot be read, and of an observation without one.
func ScriptOf(o *series.Observation) (scenario.Script, error) {
	switch {
	case o.Scenario != nil:
		script, err := scenario.Parse(o.Scenario.ID, []byte(o.Scenario.Script), nil)
		if err != nil {
			return scenario.Script{}, fmt.Errorf("the script of this recording: %w", err)
		}
		return script.AtSpeed(o.Scenario.Speed), nil
	case o.Commands != nil:
		return scenario.Script{
			ID: "ab", Title: o.Title, Speed: 1,
			Load:           []scenario.Phase{{Pause: scenario.Duration(o.Length)}},
			SampleInterval: scenario.Duration(o.Interval),
			Expect: scenario.Expect{
				Faulty: []scenario.Expectation{scenario.ExpectVerdict(scenario.AnyFault)},
				Fixed:  []scenario.Expectation{scenario.ExpectVerdict(verdict.Healthy)},
			},
		}, nil
	}
	return scenario.Script{}, fmt.Errorf("%s: no script was played", o.Title)
}

// Judge holds an observation against its script, at the speed at which it was
// played. What the script expects of clients built by another version of Go is
// among the outcomes, as skipped.
func Judge(o *series.Observation, script scenario.Script) Result {
	r := Result{
		Verdicts:     map[string]verdict.Verdict{},
		Features:     features(o),
		Expectations: []Outcome{sameWork(o)},
	}
	for _, s := range o.Subjects {
		v := judge(o, s, script)
		r.Verdicts[s.ID] = v
		goVersion := cmp.Or(s.GoVersion, o.GoVersion)
		own, half := script.ForGo(goVersion), scenario.Side(cmp.Or(s.Half, s.ID))
		builtBy := "the client was built by " + cmp.Or(goVersion, "an unknown version")
		if program(o, s) {
			builtBy = "the client is a program of yours"
		}
		for _, e := range own.Expect.Of(half) {
			if e.Go != "" && program(o, s) {
				r.Expectations = append(r.Expectations, otherGo(s, e, builtBy))
				continue
			}
			outcome := Hold(o, s, v, e)
			outcome.Text = cmp.Or(s.Name, s.ID) + ": " + outcome.Text
			r.Expectations = append(r.Expectations, outcome)
		}
		for _, e := range own.OtherGo.Of(half) {
			r.Expectations = append(r.Expectations, otherGo(s, e, builtBy))
		}
	}
	if o.Scenario.Clients() > 1 {
		for _, s := range o.Parts {
			r.Verdicts[s.ID] = judge(o, s, script)
		}
	}
	for _, s := range o.Subjects {
		if outcome, ok := sameConnections(o, s); ok {
			r.Expectations = append(r.Expectations, outcome)
		}
	}
	r.Unsent = unsent(o)
	r.OK = o.Stopped == "" && r.Unsent == "" && !slices.ContainsFunc(r.Expectations, Outcome.Failed)
	if !r.OK {
		r.Unreached = unreached(o)
	}
	return r
}

// program reports whether a subject's requests were made by a program of the user's.
func program(o *series.Observation, s *series.Subject) bool {
	return o.Scenario != nil && o.Scenario.Commands[s.ID] != ""
}

// otherGo is an expectation of clients that were built by another version of Go.
func otherGo(s *series.Subject, e scenario.Expectation, builtBy string) Outcome {
	return Outcome{
		Text:    s.ID + ": " + e.String(),
		Skipped: fmt.Sprintf("this is so with Go %s, and %s", e.Go, builtBy),
	}
}

// unreached is the errors of all subjects, if no request of any got through; ""
// if one did, or none was sent.
func unreached(o *series.Observation) string {
	var errors []string
	for _, s := range o.Subjects {
		if !s.Unreached() {
			return ""
		}
		errors = append(errors, fmt.Sprintf("%s: %s", s.ID, s.Metrics().Requests.ErrorList()))
	}
	return strings.Join(errors, "; ")
}

// unsent is what the programs of which sides called answered while nothing came to the
// run's servers; "" if none did.
func unsent(o *series.Observation) string {
	var sides []string
	for _, s := range o.Subjects {
		if n := s.Unsent(); n > 0 {
			sides = append(sides, fmt.Sprintf("the program of the %s side called %s answered, and nothing came to the run's server", s.ID, words.Plural(n, "request")))
		}
	}
	return strings.Join(sides, "; ")
}

// judge asks the engine. The fix that a script has for its own fault is closer to
// its code than the general one.
func judge(o *series.Observation, s *series.Subject, script scenario.Script) verdict.Verdict {
	c := verdict.Conditions{Speed: script.Speed, Over: o.Over && o.Stopped == ""}
	if o.Commands != nil && o.Commands.Recordings {
		c.Over, c.Ended = false, o.Gone // the processes go on, also where the recordings have their end
	}
	v := verdict.Judge(s, c)
	if fault := script.Fault; fault != nil && fault.Kind == string(v.Kind) && !program(o, s) {
		v.Fix = fault.Fix
	}
	return v
}

// sameWork checks what makes subjects comparable at all.
func sameWork(o *series.Observation) Outcome {
	r := Outcome{Text: "both sides sent the same number of requests", Met: true}
	if len(o.Subjects) != 2 {
		r.Text = "all sides sent the same number of requests"
	}
	var sent []int64
	known, atWork := true, false
	for _, s := range o.Subjects {
		n := int64(0)
		if requests := s.Metrics().Requests; requests != nil {
			n = requests.Sent
		} else {
			known = false
		}
		sent = append(sent, n)
		r.Met = r.Met && n == sent[0] && n > 0
		last := s.Last()
		atWork = atWork || last == nil || !last.Ended
		if r.Got != "" {
			r.Got += " and "
		}
		r.Got += fmt.Sprint(n)
	}
	switch {
	case o.Stopped != "":
		r.Skipped = endedEarly
	case !known:
		r.Skipped = "the requests are not known"
	case o.Commands != nil && !r.Met && atWork:
		r.Skipped = "a command was still at work when its time was over"
	}
	return r
}

// sameConnections holds what a client says that it opened against what the
// kernel saw, and returns false where the kernel was not asked, where it was
// the kernel that said it of a command, and where a server opened connections,
// too. The kernel was asked before the client and after it.
func sameConnections(o *series.Observation, s *series.Subject) (Outcome, bool) {
	if s.Last() == nil || s.Final == nil || s.Final.Connections == nil || o.Commands != nil || s.Relayed {
		return Outcome{}, false
	}
	before, said, after := s.Last().KernelConns, int(s.Final.Connections.Opened), s.Final.KernelConns
	if before == nil || after == nil {
		return Outcome{}, false
	}
	r := Outcome{
		Text: s.ID + ": the kernel saw as many connections opened as the client",
		Met:  before.Opened <= said && said <= after.Opened,
		Got:  fmt.Sprintf("%d and %d", after.Opened, said),
	}
	switch {
	case o.Stopped != "":
		r.Skipped = endedEarly
	case after.AtLeast:
		r.Skipped = "the kernel's buffer overflowed: it saw at least that many"
	}
	return r, true
}

// Hold holds a subject, which was found to be something, against one expectation.
func Hold(o *series.Observation, s *series.Subject, found verdict.Verdict, e scenario.Expectation) Outcome {
	r := Outcome{Text: e.String()}
	if o.Stopped != "" {
		r.Skipped = endedEarly
		return r
	}
	if e.Metric == scenario.VerdictMetric {
		r.Got, r.Met = string(found.Kind), e.HoldsFor(found.Kind, found.Severity != "")
		return r
	}
	for _, state := range e.States() {
		if slices.Contains(o.UnsupportedStates, state) {
			r.Skipped = fmt.Sprintf("%s cannot be seen here by %s", state, o.Source)
			return r
		}
	}
	value := func(s *series.Subject, name string) (v float64) {
		m, err := metric.Lookup(name)
		known := err == nil
		if known = known && s != nil; known {
			v, known = m.Get(s)
		}
		if !known && r.Skipped == "" {
			r.Skipped = name + " is not known here"
		}
		if r.Got != "" {
			r.Got += " and "
		}
		r.Got += m.Format(v)
		return v
	}
	got, want := value(s, e.Metric), e.Value
	if m, err := metric.Lookup(e.Metric); err == nil && e.Other == "" && want != 0 && m.Adds() && o.Scenario.Clients() > 1 {
		want *= float64(o.Scenario.Clients())
		r.Text += fmt.Sprintf(" for each of %d clients", o.Scenario.Clients())
	}
	if e.Other != "" {
		of := s
		if e.OtherSide != "" {
			of = otherSide(o, s, e.OtherSide)
		}
		want = value(of, e.Other)
	}
	if r.Skipped != "" {
		r.Got = ""
		return r
	}
	r.Met = e.Holds(got, want)
	return r
}

// otherSide is the subject of a side that was built by the same Go as s; nil if there is none.
func otherSide(o *series.Observation, s *series.Subject, side scenario.Side) *series.Subject {
	for _, of := range o.Subjects {
		if cmp.Or(of.Half, of.ID) == string(side) && of.GoVersion == s.GoVersion {
			return of
		}
	}
	return nil
}

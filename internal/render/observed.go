package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// Observed is an observation with all that was found of it: what tables, pages and
// charts are made of.
type Observed struct {
	Observation *series.Observation
	// Script is what was played; nil for a watch.
	Script *scenario.Script
	// Together is the subject that is all processes of a watch together, one of each service
	// that uses the watched port; none if there is none. It has no chart.
	Together []*series.Subject
	// Result has the verdicts on the subjects, and of a run what became of its
	// script's expectations.
	Result expect.Result
	// Guesses is what viewers of a page guessed before the run, beside what was
	// measured; "" where they did not.
	Guesses string
}

// Run is a run with what it says; the error is of a script that cannot be read.
func Run(o *series.Observation) (*Observed, error) {
	script, err := expect.ScriptOf(o)
	if err != nil {
		return nil, err
	}
	result := expect.Judge(o, script)
	script = script.ForGo(o.GoVersion)
	return &Observed{Observation: o, Script: &script, Result: result}, nil
}

// Watched is what a watch keeps of processes, with the verdicts on them.
func Watched(w *observe.Window) *Observed {
	o, subjects := &Observed{Observation: w.Observation()}, w.Subjects()
	o.Result.Verdicts = withUnjudged(observe.Judge(subjects, o.Observation.Gone), o.Observation)
	o.Together = togetherOf(subjects)
	for _, s := range subjects { // the observation has those that are there now
		if s.EndedAfter > 0 && o.Observation.Subject(s.ID) == nil {
			o.Observation.Subjects = append(o.Observation.Subjects, s)
		}
	}
	return o
}

// togetherOf are the subjects among others that are all processes together.
func togetherOf(subjects []*series.Subject) []*series.Subject {
	return slices.DeleteFunc(slices.Clone(subjects), func(s *series.Subject) bool { return !observe.IsTogether(s.ID) })
}

// withUnjudged adds that who was not there for long enough has not shown enough.
func withUnjudged(verdicts map[string]verdict.Verdict, o *series.Observation) map[string]verdict.Verdict {
	for _, s := range o.Subjects {
		if _, ok := verdicts[s.ID]; !ok && !observe.IsNoProcess(s.ID) {
			verdicts[s.ID] = verdict.Verdict{Kind: verdict.NotEnoughData}
		}
	}
	return verdicts
}

// subjects are all that there is a verdict on or may be, all together first.
func (o *Observed) subjects() []*series.Subject {
	return slices.Concat(o.Together, o.Observation.Subjects)
}

// Snapshot draws the observation as it is now, at one end of its connections.
func (o *Observed) Snapshot(end socketstats.End) Snapshot {
	v := View{Observation: o.Observation, End: end, Verdicts: o.Result.Verdicts, Together: o.Together}
	if o.Script != nil && o.Observation.Commands == nil { // no script narrates what commands do
		v.Narration, v.Script = o.Script.Now(o.Observation.Duration), o.Script
	}
	return Draw(v)
}

// ID names what was observed: a scenario, "ab" or "watch".
func (o *Observed) ID() string {
	switch {
	case o.Observation.Scenario != nil:
		return o.Observation.Scenario.ID
	case o.Observation.Commands != nil:
		return "ab"
	}
	return "watch"
}

func (o *Observed) title() string {
	if o.Script == nil {
		return o.Observation.Title
	}
	return o.ID() + ": " + o.Observation.Title
}

// pair returns the sides of a comparison of faulty with fixed; false if the
// observation is none.
func (o *Observed) pair() (faulty, fixed *series.Subject, ok bool) {
	of := o.Observation
	if (of.Scenario == nil && of.Commands == nil) || len(of.Subjects) != 2 {
		return nil, nil, false
	}
	faulty, fixed = of.Subject(string(scenario.Faulty)), of.Subject(string(scenario.Fixed))
	return faulty, fixed, faulty != nil && fixed != nil
}

// Worst is the verdict that matters most, which the exit code stands for. Who was not
// there for long enough to be judged does not count: at a port clients come all the time.
// It is the zero Verdict if there is none.
func (o *Observed) Worst() verdict.Verdict {
	judged := slices.DeleteFunc(slices.Concat(o.Observation.Subjects, o.Together), func(s *series.Subject) bool {
		v := o.Result.Verdicts[s.ID]
		return v.Kind == "" || (v.Kind == verdict.NotEnoughData && len(v.Facts) == 0)
	})
	if len(judged) == 0 {
		return verdict.Verdict{}
	}
	return o.Result.Verdicts[observe.Worst(judged, o.Result.Verdicts).ID]
}

// conditions say in a few lines how the observation was made.
func (o *Observed) conditions() string {
	of := o.Observation
	how := []string{words.Plural(of.Cost.Samples, "sample") + " in " + of.Duration.Round(100*time.Millisecond).String()}
	if of.Source != "" {
		how = append(how, "counted by "+of.Source)
	}
	if of.Isolated {
		how = append(how, "each side in a namespace of its own")
	}
	if s := of.Scenario; s != nil {
		how = append([]string{fmt.Sprintf("speed %g, seed %d", s.Speed, s.Seed)}, how...)
	}
	if of.GoVersion != "" && !slices.ContainsFunc(of.Subjects, func(s *series.Subject) bool { return s.GoVersion != "" }) {
		how = append(how, of.GoVersion)
	}
	lines := []string{strings.Join(how, ", "), o.sampling()}
	if at := o.cluster(); at != "" {
		lines = append(append(lines, at), o.clients()...)
	}
	lines = append(lines, Notes(of)...)
	for _, f := range append(o.commands(), o.failures()...) {
		lines = append(lines, f.Name+": "+strings.Join(strings.Fields(f.Text), " "))
	}
	return strings.Join(lines, "\n")
}

// sampling says what taking the samples cost.
func (o *Observed) sampling() string {
	c := o.Observation.Cost
	n := time.Duration(max(c.Samples, 1))
	text := fmt.Sprintf("a sample took %s (max %s)", short(c.Took/n), short(c.Longest))
	if c.CPU > 0 {
		text += fmt.Sprintf(" and %s of CPU time", short(c.CPU/n))
	}
	return text
}

// Notes are what is known of a watch beside its processes: who listens, by what
// connections that came and went were noticed, and how long sockets were in states
// that they left. There is none of a run.
func Notes(o *series.Observation) (lines []string) {
	m := o.Newest
	if o.Target == nil || m == nil {
		return nil
	}
	if o.Target.Port != 0 {
		listeners := "nobody listens"
		if len(m.Listeners) > 0 {
			listeners = strings.Join(m.Listeners, ", ")
		}
		lines = append(lines, fmt.Sprintf("port %d: %s", o.Target.Port, listeners))
	}
	if len(m.Apart) > 0 {
		lines = append(lines, fmt.Sprintf("not watched: what uses port %d over the loopback of %s: another service, for --pid", o.Target.Port, strings.Join(m.Apart, "; ")))
	}
	if len(m.Unseen) > 0 {
		lines = append(lines, "not seen: "+strings.Join(m.Unseen, "; "))
	}
	if m.EventSource != "" {
		note := "opened and closed: since the watch began, by " + m.EventSource
		if m.AtLeast {
			note += "; at least: some were missed, or could not be attributed to a process"
		}
		lines = append(lines, note)
	}
	for _, d := range m.StateDurations {
		lines = append(lines, d.String())
	}
	return lines
}

// short writes the time of a sample with a digit or two.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// commands are the programs that were compared, and failures how any of them, or
// the load of a side, came to a bad end.
func (o *Observed) commands() []Item {
	c := o.Observation.Commands
	if c == nil {
		return nil
	}
	if c.Recordings {
		list := []Item{{"before", c.Faulty}, {"after", c.Fixed}}
		for i, s := range o.Observation.Subjects {
			if n := len(s.Samples); i < len(list) && n > 0 {
				took := s.Samples[n-1].At - s.Samples[0].At
				list[i].Text += fmt.Sprintf(", %s in %s", words.Plural(n, "sample"), took.Round(100*time.Millisecond))
			}
			if runs := program(&s.Identity); i < len(list) && runs != "" {
				list[i].Text += ", of " + runs
			}
		}
		return list
	}
	list := []Item{{"faulty command", c.Faulty}, {"fixed command", c.Fixed}}
	switch {
	case len(c.Go) > 0 && c.Fixed == "":
		list = []Item{{"program", c.Faulty}}
	case len(c.Go) > 0:
		list = []Item{{"faulty program", c.Faulty}, {"fixed program", c.Fixed}}
	}
	if c.Server != "" {
		list = append(list, Item{"server command", c.Server})
	}
	return list
}

func (o *Observed) failures() (list []Item) {
	for _, s := range o.Observation.Subjects {
		if s.Final != nil && s.Final.Failure != "" {
			list = append(list, Item{s.ID + " failed", s.Final.Failure})
		}
	}
	return list
}

// Mark stands for a verdict where there is no room for words.
func Mark(v verdict.Verdict) string {
	switch {
	case v.IsFault():
		return "✗"
	case v.Kind == verdict.Healthy:
		return "✓"
	case v.Severity == verdict.Note:
		return "!"
	}
	return "?"
}

// Label is a verdict's kind, after its severity: "LEAK: close-wait-leak".
func Label(v verdict.Verdict) string {
	if v.Severity == "" {
		return string(v.Kind) + caveat(v)
	}
	return strings.ToUpper(string(v.Severity)) + ": " + string(v.Kind)
}

// caveat is what must stand beside the kind of a subject whose connections have no fault;
// "" is nothing.
func caveat(v verdict.Verdict) string {
	if slices.ContainsFunc(v.Facts, func(f verdict.Fact) bool { return f.Name == verdict.AllFailed }) {
		return ", but every request failed"
	}
	return ""
}

// Claim is the label, with how sure it is where something is claimed.
func Claim(v verdict.Verdict) string {
	if v.Severity == "" || v.Confidence == "" {
		return Label(v)
	}
	return fmt.Sprintf("%s (confidence: %s)", Label(v), v.Confidence)
}

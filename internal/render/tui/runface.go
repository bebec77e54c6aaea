package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// runFace shows a run: both sides beside each other.
type runFace struct {
	run      lab.Run
	end      socketstats.End
	over     bool
	snapshot render.Snapshot
}

func (f *runFace) take(event any) {
	e := event.(lab.Event)
	f.run.Add(e)
	f.over = f.over || e.End != nil
}

func (f *runFace) draw() { f.snapshot = render.Of(&f.run, f.end, f.over) }

// turn shows the other end, of the moment that is shown.
func (f *runFace) turn() {
	f.end = other(f.end)
	f.draw()
}

func other(end socketstats.End) socketstats.End {
	if end == socketstats.Client {
		return socketstats.Server
	}
	return socketstats.Client
}

func (f *runFace) header() (left, right string) {
	p := &f.snapshot
	left, right = p.Scenario+": "+p.Title, fmt.Sprintf("%s of %s", clock(p.At), clock(p.Length))
	if f.run.Commands == nil { // commands have a speed of their own
		left += fmt.Sprintf(" · speed %g", p.Speed)
	}
	return left, right
}

func (f *runFace) sentence() string { return f.snapshot.Now }

func (f *runFace) body(width, height int) []string {
	explained := f.explained(width, height)
	height -= len(explained)
	left := width / 2
	panes := [][]string{f.pane(scenario.Faulty).draw(left, height), f.pane(scenario.Fixed).draw(width-left, height)}
	return append(abreast(panes), explained...)
}

// explained says what the states mean, where there is room.
func (f *runFace) explained(width, height int) []string {
	const comfortable = 26
	var lines []string
	for _, s := range f.snapshot.Faulty.States {
		lines = append(lines, pad(stateLine(s.Name), width))
	}
	if height-len(lines) < comfortable {
		return nil
	}
	return lines
}

func stateLine(state string) string {
	l := theme[state]
	return fmt.Sprintf("%s %-11s  %s", l.style.Render(l.fill), state, render.Meaning(state))
}

func (f *runFace) pane(side scenario.Side) *pane {
	p, s := &f.snapshot, f.snapshot.Of(side)
	name, style := "✗ FAULTY", faulty
	if side == scenario.Fixed {
		name, style = "✓ FIXED", fixed
	}
	return &pane{
		name: name, style: style, held: s.Held, trend: s.Trend, what: "held, " + p.End + " end",
		chart: chart{states: s.States, points: s.Points, to: p.Length, scale: p.Scale},
		facts: f.facts(side),
		found: found(s.Verdict),
	}
}

// figure is one that no socket shows.
type figure struct{ name, value string }

func (f *runFace) figures(side scenario.Side) []figure {
	s, r := f.snapshot.Of(side), f.run.Of(side).Report
	return []figure{
		{"opened", known(r, "connections.opened", s.Opened)}, {"reused", known(r, "connections.reused", s.Reused)},
		{"ok", known(r, "requests.ok", s.OK)}, {"failed", known(r, "requests.failed", s.Failed)},
		{"waiting", known(r, "requests.in_flight", s.InFlight)},
	}
}

// facts are a side's figures, and the end of its command.
func (f *runFace) facts(side scenario.Side) []string {
	r := f.run.Of(side).Report
	var words []string
	for _, f := range f.figures(side) {
		words = append(words, f.name+" "+f.value)
	}
	facts := []string{strings.Join(words[:2], " · "), strings.Join(words[2:], " · ")}
	if !r.Knows("requests") {
		facts[1] = "requests " + notKnown
	}
	switch {
	case r.Failure != "":
		text, _, _ := strings.Cut(r.Failure, "\n")
		facts = append(facts, text)
	case f.run.Commands != nil && r.Done:
		facts = append(facts, "the command has ended")
	}
	return facts
}

// notKnown stands for a figure that could not be had.
const notKnown = "not known"

func known(r loadgen.Report, figure string, n int64) string {
	if !r.Knows(figure) {
		return notKnown
	}
	return fmt.Sprint(n)
}

// found is the verdict so far. How to fix it comes before the rest of the
// evidence, which may not fit.
func found(v verdict.Verdict) []string {
	if v.Kind == "" {
		return nil
	}
	headline := string(v.Kind)
	switch {
	case v.Kind == verdict.NotEnoughData:
		headline = "not enough data yet"
	case v.Confidence != "":
		headline += ", " + string(v.Confidence)
	}
	lines := append([]string{headline}, v.Evidence...)
	if v.Fix != "" {
		lines = slices.Insert(lines, min(2, len(lines)), "To fix it: "+v.Fix)
	}
	return lines
}

func (f *runFace) keys() string {
	keys := "q quit and table · space pause · tab " + other(f.end).String() + " end · ? states"
	if f.lesson() != "" {
		keys += " · l lesson"
	}
	if f.code() != "" {
		keys += " · d diff"
	}
	return keys
}

func (f *runFace) page(key string) []string {
	switch key {
	case "?":
		lines := []string{"# States, in the order in which they are stacked", ""}
		for _, s := range f.snapshot.Faulty.States {
			lines = append(lines, stateLine(s.Name))
		}
		if f.run.Scenario == "" {
			return lines
		}
		lines = append(lines, "", "# With other eyes", "")
		return append(lines, strings.Split(strings.TrimSuffix(opening(&f.run.Begin), "\n"), "\n")...)
	case "l":
		if id := f.lesson(); id != "" {
			return strings.Split(scenarios.Lesson(id), "\n")
		}
		return []string{"There is no lesson for this."}
	case "d":
		if id := f.code(); id != "" {
			return strings.Split(scenarios.Difference(id), "\n")
		}
		return []string{"There is no code to compare."}
	}
	return nil
}

// code is the scenario whose code is played, and lesson the one whose lesson fits:
// the run's own, or that of its code. "" is none.
func (f *runFace) code() string {
	id := cmp.Or(f.run.Script.Implementation, f.run.Scenario)
	if !scenarios.Has(id) {
		return ""
	}
	return id
}

func (f *runFace) lesson() string {
	if id := f.run.Scenario; scenarios.Has(id) {
		return id
	}
	return f.code()
}

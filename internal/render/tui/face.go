package tui

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// face shows an observation: a pane for each subject, beside each other, all with
// one scale.
type face struct {
	live     render.Live
	end      socketstats.End
	chosen   bool // the user chose the end
	snapshot render.Snapshot
	// hideVerdicts is as in [Controls].
	hideVerdicts bool
}

// take enters an event, and draw makes the picture of all that were entered.
func (f *face) take(e series.Event) { f.live.Add(e) }

func (f *face) draw() {
	o := f.live.Observation()
	if !f.chosen { // where nobody asked, the end at which there is more to see
		f.end = render.FullerEnd(o)
	}
	f.snapshot = f.live.Snapshot(f.end)
}

// otherEnd shows the other end, of the moment that is shown.
func (f *face) otherEnd() {
	f.end, f.chosen = f.end.Other(), true
	f.draw()
}

// header is the first line of the view, with room letters for its left part and the
// program's name, which a long title does without.
func (f *face) header(room int) (left, right string) {
	o, s := f.live.Observation(), &f.snapshot
	switch {
	case o.Scenario != nil:
		left = o.Title
		more := []string{s.Setting}
		if o.Scenario.Speed != 1 {
			more = []string{fmt.Sprintf("speed %g", o.Scenario.Speed), s.Setting}
		}
		for _, part := range more {
			if all := left + " · " + part; part != "" && ansi.StringWidth(all)+len("sockwatch  ") <= room {
				left = all
			}
		}
		return left, fmt.Sprintf("%s of %s", clock(s.At), clock(s.To))
	case o.Commands != nil:
		return "ab: " + o.Title, fmt.Sprintf("%s of %s", clock(s.At), clock(s.To))
	case o.Newest == nil:
		return cmp.Or(o.Title, "watch"), ""
	case o.Target != nil && o.Target.Port != 0:
		return fmt.Sprintf("port %d: %s", o.Target.Port, listeners(o.Newest.Listeners)), o.Newest.Clock.Format("15:04:05")
	default:
		return cmp.Or(o.Title, "watch"), o.Newest.Clock.Format("15:04:05")
	}
}

func listeners(names []string) string { return cmp.Or(strings.Join(names, ", "), "nobody listens") }

// body lays panes out side by side, in as many rows as they need, and says below
// what the states mean, where there is room.
func (f *face) body(width, height int) []string {
	n := len(f.snapshot.Panels)
	if n == 0 {
		return nil
	}
	columns := min(n, max(width/(LeastWidth/2), 1))
	rows := (n + columns - 1) / columns
	var below []string
	if rows == 1 {
		below = f.meanings(width, height, width/columns)
		height -= len(below)
	}
	high := height / min(rows, max(height/leastPane, 1))
	var all []*pane
	for i := range f.snapshot.Panels {
		all = append(all, f.pane(&f.snapshot.Panels[i]))
	}
	shape := shapeOf(all, width/columns, high)
	var lines []string
	for row := range rows {
		var panes [][]string
		for i := range min(columns, n-row*columns) {
			wide := width / columns
			if i == columns-1 {
				wide = width - wide*(columns-1)
			}
			panes = append(panes, all[row*columns+i].draw(wide, high, shape))
		}
		lines = append(lines, abreast(panes)...)
	}
	return append(lines, below...)
}

// meanings are what the states mean, where there is room. In narrow panes a verdict
// needs the lines more.
func (f *face) meanings(width, height, pane int) []string {
	const comfortable, narrow = 26, 50
	if pane < narrow {
		return nil
	}
	var lines []string
	for _, s := range f.snapshot.Panels[0].States {
		lines = append(lines, pad(stateLine(s.Name), width))
	}
	if height-len(lines) < comfortable {
		return nil
	}
	return lines
}

func stateLine(state string) string {
	return fmt.Sprintf("%s %-11s  %s", styleOf(state).Styled(fillOf(state)), state, render.LookOf(state).Meaning)
}

func (f *face) pane(p *render.Panel) *pane {
	s := &f.snapshot
	name, style := label(p.Name)
	says, found := p.Says, found(p)
	if f.hideVerdicts {
		says, found = "", nil
	}
	return &pane{
		name: name, style: style, number: p.Number, says: says, trend: p.Trend, arrow: arrow(p.Growth), what: p.NumberOf, picture: p.PictureOf,
		chart: chart{states: p.States, points: p.Points, from: s.From, to: s.To, scale: s.Scale},
		facts: facts(p), found: found, audience: f.live.Observation().Scenario != nil,
	}
}

// label is how a pane names its subject, and its colour.
func label(name string) (string, ansi.Style) {
	switch name {
	case string(scenario.Faulty):
		return "✗ FAULTY", faulty
	case string(scenario.Fixed):
		return "✓ FIXED", fixed
	default:
		return name, plain
	}
}

// arrow shows a growth at a glance.
func arrow(g series.Growth) string {
	switch {
	case g.Flat():
		return "──"
	case g > 0:
		return "▲"
	default:
		return "▼"
	}
}

// facts are a subject's figures, two in a line, and its note.
func facts(p *render.Panel) []string {
	var lines []string
	requests := 0
	brief := slices.DeleteFunc(slices.Clone(p.Figures), func(f render.Figure) bool { return f.Detail })
	for i, f := range brief {
		text := f.Name + " " + f.Text
		if strings.HasPrefix(f.Metric, "requests.") && f.Text == render.NotKnown {
			if requests++; requests > 1 {
				continue
			}
			text = "requests " + render.NotKnown
		}
		if i == 0 || i == 2 {
			lines = append(lines, text)
		} else {
			lines[len(lines)-1] += " · " + text
		}
	}
	if p.Note != "" {
		note, _, _ := strings.Cut(p.Note, "\n")
		lines = append(lines, note)
	}
	return lines
}

// found is the verdict so far. The fix comes before the rest of the sentences,
// which may not fit.
func found(p *render.Panel) []string {
	v := p.Verdict
	if v.Kind == "" {
		return nil
	}
	lines := []string{p.Headline}
	for i, sentence := range verdict.Sentences(v) {
		lines = append(lines, sentence)
		if i == 0 && v.Fix != "" {
			lines = append(lines, "Fix: "+v.Fix)
		}
	}
	return lines
}

// keysOfARun are those that do something while a run goes on.
const keysOfARun = "q quit and table · space pause · "

// keys are the keys for the last line.
func (f *face) keys() string {
	keys := keysOfARun + "tab " + f.end.Other().String() + " end · ? states"
	if f.lesson() != "" {
		keys += " · l lesson"
	}
	if f.live.Code() != "" {
		keys += " · d diff"
	}
	return keys
}

// page is what a key opens; nil if it opens nothing.
func (f *face) page(key string) []string {
	o := f.live.Observation()
	switch key {
	case "?":
		lines := []string{"# States, in the order in which they are stacked", ""}
		for _, s := range render.Stacking() {
			lines = append(lines, stateLine(s.String()))
		}
		if opened := opening(&o.Header); opened != "" {
			lines = append(lines, "", "# The same counts by ss", "")
			lines = append(lines, strings.Split(strings.TrimSuffix(opened, "\n"), "\n")...)
		}
		return lines
	case "l":
		if id := f.lesson(); id != "" {
			return strings.Split(scenarios.LessonFor(id, o.GoVersion, runtime.GOOS), "\n")
		}
		if o.Target == nil {
			return []string{"There is no lesson for this."}
		}
	case "d":
		if id := f.live.Code(); id != "" {
			return strings.Split(scenarios.Difference(id), "\n")
		}
		if o.Target == nil {
			return []string{"There is no code to compare."}
		}
	}
	return nil
}

// lesson is the scenario of the catalogue whose lesson fits: the run's own, or that
// of its code. "" is none.
func (f *face) lesson() string {
	if s := f.live.Script(); s != nil && scenarios.Has(s.ID) {
		return s.ID
	}
	return f.live.Code()
}

package live

import (
	"fmt"
	"strings"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/view"
	"socketlab/scenarios"
)

// runFace shows a run: both sides beside each other.
type runFace struct {
	run     lab.Run
	end     socketstats.End
	over    bool
	picture view.Picture
}

func (f *runFace) take(event any) {
	e := event.(lab.Event)
	f.run.Add(e)
	f.over = f.over || e.End != nil
}

func (f *runFace) draw() { f.picture = view.Of(&f.run, f.end, f.over) }

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
	p := &f.picture
	return fmt.Sprintf("%s: %s · speed %g", p.Scenario, p.Title, p.Speed), fmt.Sprintf("%s of %s", clock(p.At), clock(p.Length))
}

func (f *runFace) sentence() string { return f.picture.Now }

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
	for _, s := range f.picture.Faulty.States {
		lines = append(lines, pad(stateLine(s.Name), width))
	}
	if height-len(lines) < comfortable {
		return nil
	}
	return lines
}

func stateLine(state string) string {
	l := looks[state]
	return fmt.Sprintf("%s %-11s  %s", l.style.Render(l.fill), state, view.Meaning(state))
}

func (f *runFace) pane(side scenario.Side) *pane {
	p, s := &f.picture, f.picture.Of(side)
	name, style := "✗ FAULTY", faulty
	if side == scenario.Fixed {
		name, style = "✓ FIXED", fixed
	}
	return &pane{
		name: name, style: style, held: s.Held, trend: s.Trend, what: "held, " + p.End + " end",
		chart: chart{states: s.States, points: s.Points, to: p.Length, scale: p.Scale},
		facts: []string{
			fmt.Sprintf("opened %d · reused %d", s.Opened, s.Reused),
			fmt.Sprintf("ok %d · failed %d · waiting %d", s.OK, s.Failed, s.Waiting),
		},
		found: found(s),
	}
}

// found is the verdict so far.
func found(s *view.Side) []string {
	v := s.Verdict
	if v.Kind == "" {
		return nil
	}
	headline := string(v.Kind)
	if v.Confidence != "" {
		headline += ", " + string(v.Confidence)
	}
	lines := append([]string{headline}, v.Evidence...)
	if v.Fix != "" {
		lines = append(lines, "To mend it: "+v.Fix)
	}
	return lines
}

func (f *runFace) keys() string {
	return "q quit and table · space pause · tab " + other(f.end).String() + " end · ? states · l lesson · d diff"
}

func (f *runFace) page(key string) []string {
	switch key {
	case "?":
		lines := []string{"# States, in the order in which they are stacked", ""}
		for _, s := range f.picture.Faulty.States {
			lines = append(lines, stateLine(s.Name))
		}
		if f.run.Scenario == "" {
			return lines
		}
		lines = append(lines, "", "# With other eyes", "")
		return append(lines, strings.Split(strings.TrimSuffix(opening(&f.run.Begin), "\n"), "\n")...)
	case "l", "d":
		return f.taught(key)
	}
	return nil
}

// taught is the lesson, or the difference of the two codes.
func (f *runFace) taught(key string) []string {
	lessonOf, codeOf := f.run.Scenario, f.run.Scenario
	if code := f.run.Script.Code; code != "" {
		codeOf = code
	}
	if !scenarios.Has(lessonOf) {
		lessonOf = codeOf
	}
	switch {
	case key == "l" && scenarios.Has(lessonOf):
		return strings.Split(scenarios.Lesson(lessonOf), "\n")
	case key == "d" && scenarios.Has(codeOf):
		return strings.Split(scenarios.Difference(codeOf), "\n")
	case key == "l":
		return []string{"There is no lesson for this."}
	default:
		return []string{"There is no code to compare."}
	}
}

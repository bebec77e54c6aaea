package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

// begin says what is shown. All that follows, up to the next one, is of it.
type begin struct {
	// Poll tells its question from any other, so that a page knows to which its guess
	// belongs.
	Poll string `json:"poll"`
	// Waiting says that the run has not begun: viewers are asked first.
	Waiting bool   `json:"waiting,omitempty"`
	Title   string `json:"title"`
	About   string `json:"about"`
	// Length is how long a run is planned to take; 0 of a watch, whose chart moves on.
	Length time.Duration `json:"length_ns"`
	// Question asks what will be seen; "" where nobody can tell.
	Question string `json:"question,omitempty"`
	// Code is that of each side; nil where there is none to show.
	Code map[string][]line `json:"code,omitempty"`
	// States are how states are drawn and what they mean, in the order in which they
	// are stacked. Their colours are in the style sheet of [palette].
	States []state `json:"states"`
}

type state struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	// Lines and Width are those of [render.Look].
	Lines string `json:"lines,omitempty"`
	Width string `json:"width,omitempty"`
}

// snapshot is what there is to see now, but for the points of the charts.
type snapshot struct {
	// End is the end to show if nobody has chosen, and Ends what there is to see
	// of each.
	End  string           `json:"end"`
	Ends map[string]ofEnd `json:"ends"`
}

// ofEnd is what there is to see of one end of the connections.
type ofEnd struct {
	render.Snapshot
	Panels []panel `json:"panels"`
}

// panel is one subject, with the sentences of its verdict.
type panel struct {
	render.Panel
	Sentences []string `json:"sentences"`
}

// mostPanels is how many processes of a watch have a panel: those that hold most.
const mostPanels = 6

func beginOf(l *render.Live) begin {
	h := &l.Observation().Header
	of := begin{Title: cmp.Or(h.Title, "sockwatch"), States: states()}
	if h.Scenario != nil {
		if script := l.Script(); script != nil {
			of.About = render.Setting(*script)
		}
		if h.Scenario.Speed != 1 {
			of.About += " · " + pace(h.Scenario.Speed)
		}
	}
	if h.Commands != nil {
		of.About = "ab"
	}
	if h.Target == nil {
		of.Length = h.Length
	}
	if l.Observation().Subject(string(scenario.Faulty)) != nil {
		of.Question = render.Question(l.Script(), h.Length)
	}
	if id := l.Code(); id != "" {
		of.Code = map[string][]line{}
		marked := marks(scenarios.Difference(id))
		for _, side := range scenario.Sides() {
			played := side
			if h.Scenario.Swapped {
				played = side.Other()
			}
			of.Code[string(side)] = lines(scenarios.Code(id, played), marked[played])
		}
	}
	return of
}

// pace says in words for an audience at which speed a script is played.
func pace(speed float64) string {
	if speed < 1 {
		return fmt.Sprintf("%.3g times as slow", 1/speed)
	}
	return fmt.Sprintf("%.3g times as fast", speed)
}

func states() []state {
	var all []state
	for _, s := range render.Stacking() {
		look := render.LookOf(s.String())
		all = append(all, state{s.String(), look.Meaning, look.Lines, look.Width})
	}
	return all
}

// palette is the style sheet with the colour of each state, in a variable of its
// name.
func palette() []byte {
	colours := func(of func(render.Look) string) string {
		var text strings.Builder
		for _, s := range render.Stacking() {
			fmt.Fprintf(&text, " --%s: %s;", s, of(render.LookOf(s.String())))
		}
		return text.String()
	}
	light, dark := colours(func(l render.Look) string { return l.Light }), colours(func(l render.Look) string { return l.Dark })
	return fmt.Appendf(nil, ":root {%s }\n@media (prefers-color-scheme: dark) { :root:not([data-theme=\"light\"]) {%s } }\n:root[data-theme=\"dark\"] {%s }\n", light, dark, dark)
}

func snapshotOf(o *series.Observation, ends ...*render.Snapshot) snapshot {
	shown := snapshot{End: render.FullerEnd(o).String(), Ends: map[string]ofEnd{}}
	for _, s := range ends {
		of := ofEnd{Snapshot: *s, Panels: []panel{}}
		if o.Target != nil {
			slices.SortStableFunc(s.Panels, func(a, b render.Panel) int { return cmp.Compare(b.Held, a.Held) })
			if len(s.Panels) > mostPanels {
				of.Sentence += fmt.Sprintf(" Shown are the %d that hold most.", mostPanels)
				s.Panels = s.Panels[:mostPanels]
			}
		}
		for _, p := range s.Panels {
			p.Points = nil
			of.Panels = append(of.Panels, panel{p, verdict.Sentences(p.Verdict)})
		}
		shown.Ends[s.End] = of
	}
	return shown
}

// point is one moment, written: of each end the sockets of each subject by state.
// A state is named in each, as there may be more of them later.
type point struct {
	at   time.Duration
	data []byte
}

// With a headline it has also that of each subject, where it is known.
func pointOf(m *series.Moment, headline map[string]float64) point {
	counts := map[string]map[string]map[string]int{}
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		counts[end.String()] = map[string]map[string]int{}
		for i := range m.Subjects {
			s := &m.Subjects[i]
			counts[end.String()][s.ID] = above0(s.Of(end).Counts)
		}
	}
	return point{m.At, encode(struct {
		At       time.Duration                        `json:"at_ns"`
		Counts   map[string]map[string]map[string]int `json:"counts"`
		Headline map[string]float64                   `json:"headline,omitempty"`
	}{m.At, counts, headline})}
}

// headlines are the values of a metric, by the id of the subject.
func headlines(o *series.Observation, name string) map[string]float64 {
	values, m := map[string]float64{}, metric.MustLookup(name)
	for _, s := range o.Subjects {
		if v, known := m.Get(s); known {
			values[s.ID] = m.Shown(v)
		}
	}
	return values
}

func above0(c socketstats.Counts) map[string]int {
	counts := map[string]int{}
	for _, s := range render.Stacking() {
		if n := c.Of(s); n > 0 {
			counts[s.String()] = n
		}
	}
	return counts
}

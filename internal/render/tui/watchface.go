package tui

import (
	"fmt"
	"strings"

	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/socketstats"
)

// watchFace shows processes under watch, each in a pane, and all with one scale.
type watchFace struct {
	snapshots []observe.Snapshot
	verdicts  render.Verdicts
	end       socketstats.End
	turned    bool
	snapshot  render.Watched
}

// Views reports whether a watch or a run would be shown as a view, with room for
// verdicts, rather than as lines or as a plain table.
func (t *Terminal) Views() bool { return t.draws && !t.tooSmall() }

// remembered is how many snapshots are drawn: a watch may go on for weeks.
const remembered = 600

func (f *watchFace) take(event any) {
	s := event.(observe.Snapshot)
	f.verdicts.Add(s)
	f.snapshots = append(f.snapshots, render.Drawn(s))
	f.snapshots = f.snapshots[max(len(f.snapshots)-remembered, 0):]
}

func (f *watchFace) draw() {
	if len(f.snapshots) == 0 {
		return
	}
	if !f.turned { // where nobody asked, the end at which there is more to see
		f.end = render.FullerEnd(f.snapshots[len(f.snapshots)-1])
	}
	f.snapshot = render.OfWatch(f.snapshots, f.end, f.verdicts.Found(false))
}

func (f *watchFace) turn() {
	f.end, f.turned = other(f.end), true
	f.draw()
}

func (f *watchFace) header() (left, right string) {
	p := &f.snapshot
	if p.At.IsZero() {
		return "watch", ""
	}
	left = "watch"
	if p.Port != 0 {
		left = fmt.Sprintf("port %d: %s", p.Port, listeners(p.Listeners))
	}
	return left, p.At.Format("15:04:05")
}

func listeners(names []string) string {
	if len(names) == 0 {
		return "nobody listens"
	}
	return strings.Join(names, ", ")
}

func (f *watchFace) sentence() string { return f.snapshot.Now }

// body lays panes out side by side, and in as many rows as they need.
func (f *watchFace) body(width, height int) []string {
	n := len(f.snapshot.Processes)
	if n == 0 {
		return nil
	}
	columns := min(n, max(width/(LeastWidth/2), 1))
	rows := (n + columns - 1) / columns
	high := height / min(rows, max(height/leastPane, 1))
	var lines []string
	for row := range rows {
		var panes [][]string
		here := min(columns, n-row*columns)
		for i := range here {
			wide := width / columns
			if i == columns-1 {
				wide = width - wide*(columns-1)
			}
			panes = append(panes, f.pane(&f.snapshot.Processes[row*columns+i]).draw(wide, high))
		}
		lines = append(lines, abreast(panes)...)
	}
	return lines
}

func (f *watchFace) pane(w *render.WatchedProcess) *pane {
	p := &f.snapshot
	var facts []string
	if w.Flow != nil {
		facts = []string{
			fmt.Sprintf("opened %d, %s/s", w.Flow.Opened, rate(w.Flow.OpenedPerSecond)),
			fmt.Sprintf("closed %d, %s/s", w.Flow.Closed, rate(w.Flow.ClosedPerSecond)),
		}
	}
	return &pane{
		name: w.Label, style: plain, held: w.Held, trend: w.Trend, what: "held, " + p.End + " end",
		chart: chart{states: w.States, points: w.Points, from: p.From, to: p.To, scale: p.Scale},
		facts: facts, found: found(w.Verdict),
	}
}

func (f *watchFace) keys() string {
	return "q quit and table · space pause · tab " + other(f.end).String() + " end · ? states"
}

func (f *watchFace) page(key string) []string {
	if key != "?" {
		return nil
	}
	lines := []string{"# States, in the order in which they are stacked", ""}
	for _, s := range render.Stacking() {
		lines = append(lines, stateLine(s.String()))
	}
	return lines
}

package tui

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// table draws an observation over the picture before, where there is no room for
// the view.
type table struct {
	screen   screen
	live     render.Live
	throttle render.Throttle
	rest     time.Time // when it may be drawn again
}

func newTable(w io.Writer) *table {
	return &table{screen: screen{w: w}, throttle: render.Throttle{Share: share, Most: seldom}}
}

func (t *table) show(e series.Event) {
	if e.Header != nil {
		*t = *newTable(t.screen.w)
		fmt.Fprint(t.screen.w, opening(e.Header))
	}
	t.live.Add(e)
	began := time.Now()
	if e.Header != nil || e.End == nil && began.Before(t.rest) {
		return
	}
	t.screen.draw(tableLines(&t.live))
	t.rest = time.Now().Add(t.throttle.Rest(time.Since(began)))
}

// tableLines are an observation as it is now as a table: a row for each state that
// was ever seen, a column for each subject.
func tableLines(live *render.Live) []string {
	o, s := live.Observation(), live.Snapshot(socketstats.Client)
	switch {
	case o.Target != nil:
		return watchLines(o, s.Panels)
	case len(s.Panels) == 0:
		return []string{s.Sentence}
	}
	lines := []string{fmt.Sprintf("%s of %s, held at the client's end", clock(s.At), clock(s.To)), s.Sentence}
	names := 0
	for i := range s.Panels {
		names = max(names, len(s.Panels[i].Name))
	}
	for i := range s.Panels {
		const width = 30
		p := &s.Panels[i]
		lines = append(lines, fmt.Sprintf("%-*s %6d held  %-15s  %s", names, p.Name, p.Held, p.Trend, strings.Repeat("#", p.Held*width/s.Scale)))
	}
	return append(lines, rows(o, s.Panels, 11)...)
}

// watchLines are the processes of a watch, and what else is known of it.
func watchLines(o *series.Observation, panels []render.Panel) []string {
	m := o.Newest
	if m == nil {
		return []string{"no connections"}
	}
	lines := []string{m.Clock.Format("15:04:05")}
	if o.Target.Port != 0 {
		lines[0] += fmt.Sprintf("  port %d: %s", o.Target.Port, listeners(m.Listeners))
	}
	if len(panels) == 0 {
		return append(lines, "no connections")
	}
	lines = append(lines, rows(o, panels, 8)...)
	if m.EventSource == "" {
		return lines
	}
	note := "opened and closed: since the watch began, by " + m.EventSource
	if m.AtLeast {
		note += "; at least: some were missed, or could not be attributed to a process"
	}
	lines = append(lines, note)
	for _, d := range m.StateDurations {
		lines = append(lines, d.String())
	}
	return lines
}

// rows has a column for each subject: every state that was ever seen at both ends,
// so that rows come but never go, and the subject's figures.
func rows(o *series.Observation, panels []render.Panel, least int) []string {
	var lines []string
	row := func(title string, cell func(i int) string) {
		line := fmt.Sprintf("%-20s", title)
		for i := range panels {
			line += fmt.Sprintf("  %*s", max(len(panels[i].Name), least), cell(i))
		}
		lines = append(lines, line)
	}
	ends := []socketstats.End{socketstats.Client, socketstats.Server}
	row("", func(i int) string { return panels[i].Name })
	for _, end := range ends {
		for _, state := range socketstats.States() {
			if slices.ContainsFunc(o.Subjects, func(s *series.Subject) bool { return s.Peak(end).Of(state) > 0 }) {
				row(end.String()+" "+state.String(), func(i int) string { return fmt.Sprint(o.Subjects[i].Now(end).Of(state)) })
			}
		}
	}
	for _, end := range ends {
		row(end.String()+" total", func(i int) string { return fmt.Sprint(o.Subjects[i].Now(end).Total()) })
	}
	// What only some of them have comes last: no response yet, no error.
	var figures []render.Figure
	is := func(metric string) func(render.Figure) bool {
		return func(f render.Figure) bool { return f.Metric == metric }
	}
	for i := range panels {
		for _, f := range panels[i].Figures {
			if !slices.ContainsFunc(figures, is(f.Metric)) {
				figures = append(figures, f)
			}
		}
	}
	for _, f := range figures {
		row(f.Name, func(i int) string {
			if j := slices.IndexFunc(panels[i].Figures, is(f.Metric)); j >= 0 {
				return panels[i].Figures[j].Text
			}
			return render.NotKnown
		})
	}
	return lines
}

// screen draws lines over the ones it drew before.
type screen struct {
	w     io.Writer
	drawn int
}

func (s *screen) draw(lines []string) {
	if f, ok := s.w.(interface{ Fd() uintptr }); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil {
			lines = fit(lines, width, height)
		}
	}
	var text strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", s.drawn)
	}
	for _, line := range lines {
		text.WriteString(line + "\x1b[K\n")
	}
	for range max(s.drawn-len(lines), 0) {
		text.WriteString("\x1b[K\n")
	}
	s.drawn = max(s.drawn, len(lines))
	_, _ = io.WriteString(s.w, text.String())
}

// fit cuts lines to a screen, with its last line left free for the cursor:
// what scrolled away could not be drawn over.
func fit(lines []string, width, height int) []string {
	if most := max(height-1, 1); len(lines) > most {
		lines = lines[:most]
	}
	cut := make([]string, len(lines))
	for i, line := range lines {
		cut[i] = ansi.Truncate(line, width, "…")
	}
	return cut
}

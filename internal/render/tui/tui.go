// Package tui shows a run, or processes under watch, while it goes on: as a
// table redrawn in place on a terminal, and as a line for each sample
// elsewhere.
package tui

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// CanRedraw reports whether w is a terminal on which lines can be drawn again.
// termName is the environment's TERM.
func CanRedraw(w io.Writer, termName string) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && termName != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Observer is told the events of a run as they happen.
type Observer func(lab.Event)

// Run returns the face of a run: redrawn in place, or a line for each sample.
func Run(w io.Writer, redraw bool) Observer {
	if redraw {
		return (&runTable{screen: screen{w: w}}).observe
	}
	return (&runLines{w: w}).observe
}

// runLines prints a line for each sample.
type runLines struct{ w io.Writer }

func (l *runLines) observe(e lab.Event) {
	switch {
	case e.Begin != nil:
		fmt.Fprint(l.w, opening(e.Begin))
	case e.Sample != nil:
		var sides []string
		for _, side := range scenario.Sides() {
			s := e.Sample.Of(side)
			opened := known(s.Report, "connections.opened", s.Report.Connections.Opened)
			sides = append(sides, fmt.Sprintf("%s: opened %s, client %s", side, opened, states(s.Client)))
		}
		fmt.Fprintf(l.w, "%6.1fs  %s\n", e.Sample.At.Seconds(), strings.Join(sides, "  |  "))
	}
}

// opening says what is played where, and how to see it with other eyes.
func opening(b *lab.Begin) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s (speed %g, %s)\n", b.Scenario, b.Title, b.Speed, b.Script.Length().Round(100*time.Millisecond))
	place(&text, scenario.Faulty, b.FaultyAt)
	place(&text, scenario.Fixed, b.FixedAt)
	return text.String()
}

func place(text *strings.Builder, side scenario.Side, at lab.Endpoint) {
	port := at.Server[strings.LastIndexByte(at.Server, ':')+1:]
	inside := ""
	if at.Supervisor != 0 {
		inside = fmt.Sprintf("nsenter -t %d -U -n --preserve-credentials ", at.ServerPID)
	}
	fmt.Fprintf(text, "  %-6s server %s (process %d), client process %d: %sss -tan '( sport = :%s or dport = :%s )'\n",
		side, at.Server, at.ServerPID, at.ClientPID, inside, port, port)
	if at.LeftBehind > 0 {
		fmt.Fprintf(text, "         not counted: %d sockets that earlier connections left on this port (for exact TIME_WAIT, wait a minute)\n", at.LeftBehind)
	}
}

// states writes counts as "150 ESTABLISHED 3 TIME_WAIT", or "none".
func states(c socketstats.Counts) string {
	return cmp.Or(strings.Join(c.List(socketstats.Listen), " "), "none")
}

// runTable draws the snapshot of a run over the one before, where there is no room
// for the view.
type runTable struct {
	screen   screen
	face     runFace
	throttle render.Throttle
	rest     time.Time // when it may be drawn again
}

func (t *runTable) observe(e lab.Event) {
	if e.Begin != nil {
		*t = runTable{screen: screen{w: t.screen.w}, throttle: render.Throttle{Share: share, Most: seldom}}
		fmt.Fprint(t.screen.w, opening(e.Begin))
	}
	t.face.take(e)
	began := time.Now()
	if e.Begin != nil || e.End == nil && began.Before(t.rest) {
		return
	}
	t.screen.draw(t.lines())
	t.rest = time.Now().Add(t.throttle.Rest(time.Since(began)))
}

func (t *runTable) lines() []string {
	client, server := render.Ends(&t.face.run, t.face.over)
	t.face.snapshot = client
	p := &client
	lines := []string{fmt.Sprintf("%s of %s, held at the client's end", clock(p.At), clock(p.Length)), p.Now}
	for _, side := range scenario.Sides() {
		const width = 30
		s := p.Of(side)
		lines = append(lines, fmt.Sprintf("%-6s %6d held  %-15s  %s", side, s.Held, s.Trend, strings.Repeat("#", s.Held*width/p.Scale)))
	}
	row := func(name, faulty, fixed string) {
		lines = append(lines, fmt.Sprintf("%-20s %11s %11s", name, faulty, fixed))
	}
	row("", "faulty", "fixed")
	for _, p := range []*render.Snapshot{&client, &server} {
		for i, s := range p.Faulty.States {
			row(p.End+" "+s.Name, fmt.Sprint(s.Now), fmt.Sprint(p.Fixed.States[i].Now))
		}
	}
	faulty, fixed := t.face.figures(scenario.Faulty), t.face.figures(scenario.Fixed)
	for i, f := range faulty {
		row(f.name, f.value, fixed[i].value)
	}
	return lines
}

// stateRows are the rows of a live table: every state that was ever seen, so
// that rows come but never go.
type stateRows struct {
	seen [2]map[socketstats.State]bool
}

type stateRow struct {
	name string
	pick func(client, server socketstats.Counts) int
}

// of returns the rows for the newest counts of all columns' two ends.
func (r *stateRows) of(ends ...[]socketstats.Counts) []stateRow {
	var rows []stateRow
	for i, name := range []string{"client", "server"} {
		if r.seen[i] == nil {
			r.seen[i] = map[socketstats.State]bool{}
		}
		for _, s := range socketstats.States() {
			for _, c := range ends[i] {
				if c.Of(s) > 0 {
					r.seen[i][s] = true
				}
			}
			if r.seen[i][s] {
				rows = append(rows, stateRow{name + " " + s.String(), func(client, server socketstats.Counts) int {
					return [2]socketstats.Counts{client, server}[i].Of(s)
				}})
			}
		}
	}
	return rows
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

package tui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
)

// Watch returns the face of processes under watch: redrawn in place, or a line
// for each count.
func Watch(w io.Writer, redraw bool) func(observe.Snapshot) {
	if redraw {
		t := &watchTable{screen: screen{w: w}}
		return func(s observe.Snapshot) { t.screen.draw(t.table(s)) }
	}
	return func(s observe.Snapshot) {
		parts := []string{}
		for _, p := range s.Processes {
			part := fmt.Sprintf("%s: client %s, server %s", p.Label(), states(p.Client), states(p.Server))
			if p.Flow != nil {
				part += fmt.Sprintf(", opened %s/s, closed %s/s", rate(p.Flow.OpenedPerSecond), rate(p.Flow.ClosedPerSecond))
			}
			parts = append(parts, part)
		}
		if len(parts) == 0 {
			parts = append(parts, "no connections")
		}
		fmt.Fprintf(w, "%s  %s\n", s.At.Format("15:04:05"), strings.Join(parts, "  |  "))
	}
}

// watchTable draws processes side by side.
type watchTable struct {
	screen screen
	rows   stateRows
}

// WatchTable returns one count as a table: a row for each state, a column for
// each process.
func WatchTable(s observe.Snapshot) string {
	return strings.Join((&watchTable{}).table(s), "\n") + "\n"
}

func (t *watchTable) table(s observe.Snapshot) []string {
	head := s.At.Format("15:04:05")
	if s.Port != 0 {
		head += fmt.Sprintf("  port %d: %s", s.Port, listeners(s.Listeners))
	}
	clients, servers := make([]socketstats.Counts, 0, len(s.Processes)), make([]socketstats.Counts, 0, len(s.Processes))
	names := fmt.Sprintf("%-20s", "")
	for _, p := range s.Processes {
		clients, servers = append(clients, p.Client), append(servers, p.Server)
		names += fmt.Sprintf("  %*s", columnWidth(p), p.Label())
	}
	if len(s.Processes) == 0 {
		return []string{head, "no connections"}
	}
	lines := []string{head, names}
	row := func(name string, value func(observe.Process) int) {
		line := fmt.Sprintf("%-20s", name)
		for _, p := range s.Processes {
			line += fmt.Sprintf("  %*d", columnWidth(p), value(p))
		}
		lines = append(lines, line)
	}
	for _, r := range t.rows.of(clients, servers) {
		row(r.name, func(p observe.Process) int { return r.pick(p.Client, p.Server) })
	}
	row("client total", func(p observe.Process) int { return p.Client.Total() })
	row("server total", func(p observe.Process) int { return p.Server.Total() })
	return append(lines, flowLines(s)...)
}

// flowLines shows what came and went.
func flowLines(s observe.Snapshot) []string {
	if !slices.ContainsFunc(s.Processes, func(p observe.Process) bool { return p.Flow != nil }) {
		return nil
	}
	var lines []string
	row := func(name string, value func(observe.Flow) string) {
		line := fmt.Sprintf("%-20s", name)
		for _, p := range s.Processes {
			flow := observe.Flow{}
			if p.Flow != nil {
				flow = *p.Flow
			}
			line += fmt.Sprintf("  %*s", columnWidth(p), value(flow))
		}
		lines = append(lines, line)
	}
	row("opened", func(f observe.Flow) string { return fmt.Sprint(f.Opened) })
	row("opened per second", func(f observe.Flow) string { return rate(f.OpenedPerSecond) })
	row("closed", func(f observe.Flow) string { return fmt.Sprint(f.Closed) })
	row("closed per second", func(f observe.Flow) string { return rate(f.ClosedPerSecond) })
	note := "opened and closed: since the watch began, by " + s.FlowSource
	if s.AtLeast {
		note += "; at least: some were missed, or could not be attributed to a process"
	}
	lines = append(lines, note)
	for _, spent := range s.StateDurations {
		lines = append(lines, fmt.Sprintf("%d times in %s, %.3g ms on average, %.3g ms at most", spent.Times, spent.State, spent.MeanMS, spent.MaxMS))
	}
	return lines
}

func rate(perSecond float64) string { return fmt.Sprintf("%.1f", perSecond) }

func columnWidth(p observe.Process) int { return max(len(p.Label()), 8) }

package live

import (
	"fmt"
	"io"
	"strings"

	"socketlab/internal/socketstats"
	"socketlab/internal/watch"
)

// Watch returns the face of processes under watch: redrawn in place, or a line
// for each count.
func Watch(w io.Writer, redraw bool) func(watch.Snapshot) {
	if redraw {
		t := &watchTable{screen: screen{w: w}}
		return func(s watch.Snapshot) { t.screen.draw(t.table(s)) }
	}
	return func(s watch.Snapshot) {
		parts := []string{}
		for _, p := range s.Processes {
			parts = append(parts, fmt.Sprintf("%s: client %s, server %s", p.Label(), states(p.Client), states(p.Server)))
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
func WatchTable(s watch.Snapshot) string {
	return strings.Join((&watchTable{}).table(s), "\n") + "\n"
}

func (t *watchTable) table(s watch.Snapshot) []string {
	head := s.At.Format("15:04:05")
	if s.Port != 0 {
		listener := "nobody listens"
		if len(s.Listeners) > 0 {
			listener = strings.Join(s.Listeners, ", ")
		}
		head += fmt.Sprintf("  port %d: %s", s.Port, listener)
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
	row := func(name string, value func(watch.Process) int) {
		line := fmt.Sprintf("%-20s", name)
		for _, p := range s.Processes {
			line += fmt.Sprintf("  %*d", columnWidth(p), value(p))
		}
		lines = append(lines, line)
	}
	for _, r := range t.rows.of(clients, servers) {
		row(r.name, func(p watch.Process) int { return r.pick(p.Client, p.Server) })
	}
	row("client total", func(p watch.Process) int { return p.Client.Total() })
	row("server total", func(p watch.Process) int { return p.Server.Total() })
	return lines
}

func columnWidth(p watch.Process) int { return max(len(p.Label()), 8) }

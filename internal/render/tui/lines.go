package tui

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// lines prints a line for each moment.
type lines struct {
	w           io.Writer
	observation series.Observation // its header and names; no samples but the newest two
	printed     time.Duration      // the time of the newest line
}

// eachSecond is the time between two lines of a comparison of commands, which is sampled
// more often than anybody reads.
const eachSecond = time.Second

func (l *lines) show(e series.Event) {
	l.observation.Add(e)
	switch m := e.Moment; {
	case e.Header != nil:
		fmt.Fprint(l.w, opening(e.Header))
	case m != nil && l.observation.Commands != nil && l.printed > 0 && m.At-l.printed < eachSecond:
	case m != nil && l.observation.Target == nil:
		l.printed = m.At
		fmt.Fprintf(l.w, "%6.1fs  %s\n", m.At.Seconds(), l.columns(m, sideCounts))
	case m != nil:
		fmt.Fprintf(l.w, "%s  %s\n", m.Clock.Format("15:04:05"), cmp.Or(l.columns(m, processCounts), "no connections"))
	}
}

func (l *lines) columns(m *series.Moment, say func(*series.Subject) string) string {
	var parts []string
	for i := range m.Subjects {
		s := l.observation.Subject(m.Subjects[i].ID)
		s.Samples = s.Samples[max(0, len(s.Samples)-2):] // more is not shown
		if s.Parent == "" {                              // else its sockets are among those of the process that it descends from
			parts = append(parts, say(s))
		}
	}
	return words.Printable(strings.Join(parts, "  |  "))
}

func sideCounts(s *series.Subject) string {
	m, opened := metric.MustLookup("connections.opened"), render.NotKnown
	if n, ok := m.Get(s); ok {
		opened = m.Format(n)
	}
	return fmt.Sprintf("%s: opened %s, client %s", s.Name, opened, states(s.Last().Client.Counts))
}

func processCounts(s *series.Subject) string {
	text := fmt.Sprintf("%s: client %s, server %s", s.Name, states(s.Last().Client.Counts), states(s.Last().Server.Counts))
	if opened, closed, ok := s.Rates(); ok {
		text += fmt.Sprintf(", opened %.1f/s, closed %.1f/s", opened, closed)
	}
	return text
}

// states writes counts as "150 ESTABLISHED 3 TIME_WAIT", or "none".
func states(c socketstats.Counts) string {
	return cmp.Or(strings.Join(c.List(socketstats.Listen), " "), "none")
}

// opening says what is played where, and which command of this system lists the
// same sockets; "" of a watch.
func opening(h *series.Header) string {
	var text strings.Builder
	switch {
	case h.Scenario != nil:
		fmt.Fprintf(&text, "%s: %s (speed %g, %s)\n", h.Scenario.ID, h.Title, h.Scenario.Speed, h.Length.Round(100*time.Millisecond))
	case h.Commands != nil:
		fmt.Fprintf(&text, "ab: %s (%s)\n", h.Title, h.Length.Round(100*time.Millisecond))
	}
	for i := range h.Subjects {
		endpoints(&text, &h.Subjects[i])
	}
	return words.Printable(text.String())
}

// listCommand is the command of a system that lists the sockets of a port.
func listCommand(system, port string) string {
	switch system {
	case "linux":
		return fmt.Sprintf("ss -tan '( sport = :%s or dport = :%s )'", port, port)
	case "windows":
		return fmt.Sprintf(`netstat -an -p tcp | findstr ":%s "`, port)
	default: // macOS and the BSDs write a point before the port
		return fmt.Sprintf(`netstat -an -p tcp | grep '\.%s '`, port)
	}
}

func endpoints(text *strings.Builder, of *series.Identity) {
	at := of.Endpoints
	if at == nil || at.ClientPID == 0 { // its processes are on other machines
		return
	}
	port := at.Server[strings.LastIndexByte(at.Server, ':')+1:]
	inside := ""
	if at.SupervisorPID != 0 {
		inside = fmt.Sprintf("nsenter -t %d -U -n --preserve-credentials ", at.ServerPID)
	}
	fmt.Fprintf(text, "  %-6s server %s (process %d), client process %d: %s%s\n",
		of.Name, at.Server, at.ServerPID, at.ClientPID, inside, listCommand(runtime.GOOS, port))
	if at.LeftBehind > 0 {
		fmt.Fprintf(text, "         not counted: %s that earlier connections left on this port (for exact TIME_WAIT, wait a minute)\n",
			words.Plural(at.LeftBehind, "socket"))
	}
}

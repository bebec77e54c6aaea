// Package report writes a finished run: as a table for people, and as JSON,
// CSV, Markdown or HTML for what comes after. Each is a function of the run
// and its judgement and writes to any writer.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"socketlab/internal/expect"
	"socketlab/internal/lab"
	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// Entry is a run with what it says.
type Entry struct {
	Run     *lab.Run
	Outcome expect.Outcome
}

// Formats are the names that Write takes.
func Formats() []string { return []string{"table", "json", "csv", "markdown", "html"} }

// Write writes entries in a format. In JSON one entry is an object; with list,
// or when there are more, they are an array of objects.
func Write(w io.Writer, format string, entries []Entry, list bool) error {
	switch format {
	case "table":
		return writeTables(w, entries)
	case "json":
		return writeJSON(w, entries, list)
	case "csv":
		return writeCSV(w, entries)
	case "markdown":
		return writeMarkdown(w, entries)
	case "html":
		return Page(w, entries)
	default:
		return fmt.Errorf("unknown output format %q", format)
	}
}

// row is one line of the comparison.
type row struct {
	name          string
	faulty, fixed string
}

// group is rows that belong together.
type group []row

// comparison is what the table shows of a run, top to bottom.
func comparison(e Entry) []group {
	side := func(name string, say func(scenario.Side) string) row {
		return row{name, say(scenario.Faulty), say(scenario.Fixed)}
	}
	report := func(name, metric string, say func(loadgen.Report) string) row {
		return side(name, func(s scenario.Side) string {
			r := e.Run.Of(s).Report
			if !r.Knows(metric) {
				return notKnown
			}
			return say(r)
		})
	}
	groups := []group{
		endRows(e.Run, "client", func(s *lab.Side) lab.End { return s.Client }),
		endRows(e.Run, "server", func(s *lab.Side) lab.End { return s.Server }),
		{
			report("connections opened", "connections.opened", func(r loadgen.Report) string { return fmt.Sprint(r.Connections.Opened) }),
			report("connections reused", "connections.reused", func(r loadgen.Report) string { return fmt.Sprint(r.Connections.Reused) }),
			report("descriptors, peak", "process.fds_peak", func(r loadgen.Report) string { return fmt.Sprint(r.Process.FDsPeak) }),
			report("goroutines, peak", "process.goroutines_peak", func(r loadgen.Report) string { return fmt.Sprint(r.Process.GoroutinesPeak) }),
			report("garbage collections", "process.gc_cycles", func(r loadgen.Report) string { return fmt.Sprint(r.Process.GCCycles) }),
		},
		{
			report("requests sent", "requests.sent", func(r loadgen.Report) string { return fmt.Sprint(r.Requests.Sent) }),
			report("requests ok", "requests.ok", func(r loadgen.Report) string { return fmt.Sprint(r.Requests.OK) }),
			report("requests failed", "requests.failed", failures),
			report("requests waiting", "requests.in_flight", func(r loadgen.Report) string { return fmt.Sprint(r.Requests.InFlight) }),
			report("latency p50 / p99", "latency_ms", func(r loadgen.Report) string {
				if unanswered("latency_ms.p50", r) {
					return noAnswer
				}
				return ms(r.Latency.P50) + " / " + ms(r.Latency.P99)
			}),
		},
	}
	if more := rare(e.Run); len(more) > 0 {
		groups = append(groups, more)
	}
	var words group
	for _, f := range features(e) {
		words = append(words, row{f.Name, f.Faulty, f.Fixed})
	}
	return append(groups, words, group{side("verdict", func(s scenario.Side) string {
		v := e.Outcome.Of(s)
		if v.Leak {
			return leak + string(v.Kind)
		}
		return string(v.Kind)
	})})
}

// rare has the rows of what happens in few runs, where it happened.
func rare(run *lab.Run) group {
	var rows group
	count := func(name string, of func(*lab.Side) int64) {
		if faulty, fixed := of(&run.Faulty), of(&run.Fixed); faulty+fixed > 0 {
			rows = append(rows, row{name, fmt.Sprint(faulty), fmt.Sprint(fixed)})
		}
	}
	count("tried again", func(s *lab.Side) int64 { return max(0, s.Report.Requests.Attempts-s.Report.Requests.Sent) })
	count("connecting failed", func(s *lab.Side) int64 { return s.Report.Connections.Failed })
	count("failed on a dead one", func(s *lab.Side) int64 { return s.Report.Connections.StaleReuse })
	for _, server := range run.Script.Servers() {
		if _, ok := run.Faulty.Metric("servers." + server.Name + ".requests"); !ok {
			continue
		}
		count("requests to "+server.Name, func(s *lab.Side) int64 {
			n, _ := s.Metric("servers." + server.Name + ".requests")
			return int64(n)
		})
		count("connections to "+server.Name, func(s *lab.Side) int64 {
			n, _ := s.Metric("servers." + server.Name + ".connections")
			return int64(n)
		})
	}
	return rows
}

// notKnown stands for a figure that could not be had.
const notKnown = "not known"

// features are the judgement's. They all follow from the requests, so that
// without those there is nothing to say.
func features(e Entry) []expect.Feature {
	all := slices.Clone(e.Outcome.Features)
	for i := range all {
		if !e.Run.Faulty.Report.Knows("requests") {
			all[i].Faulty = notKnown
		}
		if !e.Run.Fixed.Report.Knows("requests") {
			all[i].Fixed = notKnown
		}
	}
	return all
}

// endRows has a row for each state that either side ever had at this end.
func endRows(run *lab.Run, name string, end func(*lab.Side) lab.End) group {
	faulty, fixed := end(&run.Faulty), end(&run.Fixed)
	cell := func(peak, final int) string { return fmt.Sprintf("%d / %d", peak, final) }
	var rows group
	for _, s := range socketstats.States() {
		if faulty.Peak.Of(s)+fixed.Peak.Of(s) == 0 {
			continue
		}
		rows = append(rows, row{name + " " + s.String(),
			cell(faulty.Peak.Of(s), faulty.Final.Of(s)), cell(fixed.Peak.Of(s), fixed.Final.Of(s))})
	}
	return append(rows, row{name + " total",
		cell(faulty.Peak.Total(), faulty.Final.Total()), cell(fixed.Peak.Total(), fixed.Final.Total())})
}

func failures(r loadgen.Report) string {
	if r.Requests.Failed == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", r.Requests.Failed, r.Requests.ErrorList())
}

// ms writes a number of milliseconds to what a reader can use.
func ms(v float64) string {
	d := time.Duration(v * float64(time.Millisecond))
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}

// title is the line above a comparison.
func title(run *lab.Run) string {
	return fmt.Sprintf("%s: %s", run.Scenario, run.Title)
}

// conditions says how the run was made.
func conditions(run *lab.Run) string {
	how := "counted by " + run.Source
	if run.Isolated {
		how += ", each side in a namespace of its own"
	}
	text := fmt.Sprintf("%s, %s, %s", run.Duration.Round(100*time.Millisecond), how, run.GoVersion)
	if run.Commands == nil {
		text = fmt.Sprintf("speed %g, seed %d, %s", run.Speed, run.Seed, text)
	}
	if c := run.Sampling; c.Samples > 0 {
		n := time.Duration(c.Samples)
		text += fmt.Sprintf("\n%d samples, one took %s on average and %s at most, and %s of CPU time", c.Samples,
			short(c.Took/n), short(c.Longest), short(c.CPU/n))
	}
	if run.Stopped != "" {
		text += "\nended early: " + run.Stopped
	}
	return text + commands(run)
}

// commands says what was compared, and how it failed if it did.
func commands(run *lab.Run) string {
	if run.Commands == nil {
		return ""
	}
	text := ""
	line := func(name, command string) {
		text += fmt.Sprintf("\n%-6s  %s", name, strings.Join(strings.Fields(command), " "))
	}
	line("faulty", run.Commands.Faulty)
	line("fixed", run.Commands.Fixed)
	if run.Commands.Server != "" {
		line("server", run.Commands.Server)
	}
	for _, side := range scenario.Sides() {
		if failure := run.Of(side).Report.Failure; failure != "" {
			text += fmt.Sprintf("\n%s: %s", side, failure)
		}
	}
	return text
}

// short writes a time of a sample with a digit or two.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

package report

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// repair is a scenario that is fixed step by step, and those of its steps that
// were played, in order.
type repair struct {
	id    string
	steps []Entry
}

// repairs finds the scenarios among the entries whose steps were played, too.
func repairs(entries []Entry) []repair {
	var found []repair
	for _, e := range entries {
		r := repair{id: e.Run.Scenario}
		for _, id := range e.Run.Script.Steps {
			for _, step := range entries {
				if step.Run.Scenario == id {
					r.steps = append(r.steps, step)
				}
			}
		}
		if len(r.steps) > 0 {
			found = append(found, r)
		}
	}
	return found
}

// stepFigures are what a step is measured by: before it and after it.
var stepFigures = []struct {
	name string
	of   func(*lab.Side) string
}{
	{"failed", func(s *lab.Side) string { return fmt.Sprint(s.Report.Requests.Failed) }},
	{"p99", func(s *lab.Side) string { return ms(s.Report.Latency.P99) }},
	{"opened", openedByAll},
	{"TIME_WAIT", func(s *lab.Side) string {
		return fmt.Sprint(max(s.Client.Peak.Of(socketstats.TimeWait), s.Server.Peak.Of(socketstats.TimeWait)))
	}},
}

// openedByAll is the connections that were opened, by the servers, too, where
// the kernel tells.
func openedByAll(s *lab.Side) string {
	if s.Connections != nil {
		return fmt.Sprint(s.Connections.Opened)
	}
	return fmt.Sprint(s.Report.Connections.Opened)
}

// stepRows has a row for each step, with each figure as "before > after".
func stepRows(r repair) [][]string {
	header := []string{"step"}
	for _, f := range stepFigures {
		header = append(header, f.name)
	}
	rows := [][]string{header}
	for _, e := range r.steps {
		row := []string{strings.TrimPrefix(e.Run.Scenario, r.id+"-")}
		for _, f := range stepFigures {
			row = append(row, f.of(e.Run.Of(scenario.Faulty))+" > "+f.of(e.Run.Of(scenario.Fixed)))
		}
		rows = append(rows, row)
	}
	return rows
}

// writeSteps writes what each step of each repair came to, under headings of a
// format's own.
func writeSteps(out *sink, entries []Entry, heading string, options ...tablewriter.Option) error {
	for _, r := range repairs(entries) {
		out.printf(heading, r.id+", step by step: before > after")
		rows := stepRows(r)
		table := tablewriter.NewTable(out, append(options, headerAsIs)...)
		table.Header(rows[0])
		if err := table.Bulk(rows[1:]); err != nil {
			return err
		}
		if err := table.Render(); err != nil {
			return err
		}
	}
	return out.err
}

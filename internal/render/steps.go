package render

import (
	"strings"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// steps are, for each scenario among runs that is fixed step by step, a heading and
// a table with what each of its steps that was played came to.
func steps(runs []*Observed) (tables [][]Block) {
	for _, whole := range runs {
		t := Table{Name: "the steps", Columns: []Column{{Title: "step"}, {Title: "failed"}, {Title: "p99"}, {Title: "opened"}, {Title: "TIME_WAIT"}}, Groups: []Group{{}}}
		for _, id := range whole.Script.Steps {
			for _, step := range runs {
				if faulty, fixed, pair := step.pair(); pair && step.ID() == id {
					row := Row{Cells: []Cell{cell(strings.TrimPrefix(id, whole.ID()+"-"))}}
					before, after := stepFigures(faulty), stepFigures(fixed)
					if faulty.KernelConns() != nil {
						t.Columns[3].Title = "opened, by the kernel"
					}
					for i := range before {
						row.Cells = append(row.Cells, cell(before[i]+" > "+after[i]))
					}
					t.Groups[0].Rows = append(t.Groups[0].Rows, row)
				}
			}
		}
		if len(t.Groups[0].Rows) > 0 {
			tables = append(tables, []Block{Heading{Level: 3, Text: whole.ID() + ", step by step: before > after"}, t})
		}
	}
	return tables
}

// stepFigures are what a step is measured by. Connections are also those that
// servers opened, where the kernel says it.
func stepFigures(s *series.Subject) []string {
	opened := "connections.opened"
	if s.KernelConns() != nil {
		opened = "kernel_connections.opened"
	}
	waiting := "client.peak.TIME_WAIT"
	if s.Peak(socketstats.Server).Of(socketstats.TimeWait) > s.Peak(socketstats.Client).Of(socketstats.TimeWait) {
		waiting = "server.peak.TIME_WAIT"
	}
	var texts []string
	for _, name := range []string{"requests.failed", "latency_ms.p99", opened, waiting} {
		texts = append(texts, briefly(name, s).Text)
	}
	return texts
}

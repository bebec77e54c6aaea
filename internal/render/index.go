package render

import (
	"fmt"
	"strings"

	"socketlab/internal/scenario"
	"socketlab/internal/words"
)

// Index is the page that leads to the pages of several runs of faulty and fixed;
// files are their names, in the same order.
func Index(runs []*Observed, files []string) *Document {
	t := Table{Name: "the runs", Groups: []Group{{}}, Columns: []Column{
		{Title: "scenario"},
		{Title: "faulty against fixed"},
		{Title: "verdict of faulty"},
		{Title: "verdict of fixed"},
		{Title: "opened", Number: true},
		{Title: "failed", Number: true},
		{Title: "expectations"},
	}}
	ok := 0
	for i, o := range runs {
		line, _ := o.headline()
		list := Checklist{Checks: o.checks()}
		met := "✗ " + strings.Replace(list.Summary(), " expectations", "", 1) // the column's head says of what
		switch {
		case o.Observation.Stopped != "":
			met = "✗ ended early: " + o.Observation.Stopped
		case o.Result.OK:
			met = strings.Replace(met, "✗", "✓", 1)
			ok++
		}
		row := Row{Cells: []Cell{{{Text: o.ID(), Link: files[i]}, {Text: o.Observation.Title}}, cell(line)}}
		for _, side := range scenario.Sides() {
			v := o.Result.Verdicts[string(side)]
			row.Cells = append(row.Cells, cell(Mark(v)+" "+Label(v)))
		}
		for _, name := range []string{"connections.opened", "requests.failed"} {
			var c Cell
			for _, s := range o.Observation.Subjects {
				c = append(c, briefly(name, s))
			}
			row.Cells = append(row.Cells, c)
		}
		row.Cells = append(row.Cells, cell(met))
		t.Groups[0].Rows = append(t.Groups[0].Rows, row)
	}
	title := fmt.Sprintf("%s, %d of %d as expected", words.Plural(len(runs), "run"), ok, len(runs))
	d := &Document{Title: "sockwatch: " + title, Blocks: []Block{Heading{Level: 2, Text: title}, t}}
	for _, s := range steps(runs) {
		d.Blocks = append(d.Blocks, s...)
	}
	return d
}

// FileNames names a file for each run, with no name twice, and none "index".
func FileNames(runs []*Observed, extension string) []string {
	used := map[string]bool{"index": true}
	names := make([]string, len(runs))
	for i, o := range runs {
		base := plainName(o.ID())
		name := base
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		used[name] = true
		names[i] = name + extension
	}
	return names
}

// plainName leaves of a name what is safe in any file system. A recording may
// come from anywhere.
func plainName(s string) string {
	name := []byte("run")
	if s != "" {
		name = []byte(s)
	}
	for i, b := range name {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			name[i] = '-'
		}
	}
	return string(name[:min(len(name), 100)])
}

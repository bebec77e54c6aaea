package report

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"strings"

	"socketlab/internal/lab"
)

// indexLine is one run of an index.
type indexLine struct {
	File, ID, Title string
	Headline        string
	Faulty, Fixed   sideVerdict
	// Opened and Failed are of both sides.
	Opened, Failed string
	Mark, Met      string
}

// Index writes the page that leads to the pages of several runs; files are their
// names, in the same order.
func Index(w io.Writer, entries []Entry, files []string) error {
	if len(files) != len(entries) {
		return fmt.Errorf("an index of %d runs has %d files", len(entries), len(files))
	}
	data := struct {
		Style    template.CSS
		Heading  string
		Lines    []indexLine
		Repairs  []repairTable
		Expected string
	}{Style: style(), Heading: plural(len(entries), "run"), Repairs: repairTables(entries)}
	ok := 0
	for i, e := range entries {
		a := articleOf(e)
		line := indexLine{
			File: files[i], ID: e.Run.Scenario, Title: e.Run.Title, Headline: a.Headline, Faulty: a.Verdicts[0], Fixed: a.Verdicts[1],
			Opened: ofBoth(e.Run, "connections.opened"), Failed: ofBoth(e.Run, "requests.failed"),
			Mark: "✗", Met: strings.Replace(a.Met, " expectations", "", 1), // the column's head says of what
		}
		switch {
		case e.Run.Stopped != "":
			line.Met = "ended early: " + e.Run.Stopped
		case e.Outcome.OK:
			line.Mark = "✓"
			ok++
		}
		data.Lines = append(data.Lines, line)
	}
	data.Expected = fmt.Sprintf("%d of %d as expected", ok, len(entries))
	return execute(w, "index.tmpl", data)
}

// ofBoth is a metric of both sides.
func ofBoth(run *lab.Run, metric string) string {
	m := measureOf(run, metric, "", "")
	return cmp.Or(m.Faulty.Data, notKnown) + " / " + cmp.Or(m.Fixed.Data, notKnown)
}

// Files names a page for each entry, with no name twice.
func Files(entries []Entry) []string {
	used := map[string]bool{"index": true}
	names := make([]string, len(entries))
	for i, e := range entries {
		base := plainName(e.Run.Scenario)
		name := base
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		used[name] = true
		names[i] = name + ".html"
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

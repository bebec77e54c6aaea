package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.tmpl"))

// patternLead begins the names of the fills in a page.
const patternLead = "state-"

// Page writes entries as one HTML file that needs nothing beside itself: no
// script, no picture, no font. It is a function of the entries.
func Page(w io.Writer, entries []Entry) error {
	data := document{Title: "sockwatch report", Style: style(), Patterns: allPatterns()}
	for _, e := range entries {
		data.Articles = append(data.Articles, articleOf(e))
	}
	data.Several = len(entries) != 1
	data.Heading = plural(len(entries), "run")
	if !data.Several {
		data.Heading = data.Articles[0].Title
		data.Title = data.Articles[0].Headline + ": " + entries[0].Run.Scenario
	}
	data.Repairs = repairTables(entries)
	return execute(w, "page.tmpl", data)
}

// execute writes all or, if a template fails, nothing.
func execute(w io.Writer, name string, data any) error {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		return fmt.Errorf("write a page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// document is what the template of a page shows.
type document struct {
	Title, Heading string
	Style          template.CSS
	Patterns       template.HTML
	Several        bool
	Articles       []article
	Repairs        []repairTable
}

// article is one run of a page.
type article struct {
	Title, Headline, Sentence string
	Ends                      []endFigure
	Measures                  []measure
	Verdicts                  []sideVerdict
	Expectations              []expectation
	Met                       string
	Stopped                   string
	Difference                []diffLine
	Code                      string
	How                       []fact
}

// endFigure is both sides' charts of one end, and their states.
type endFigure struct {
	End    string
	Note   string
	Charts []template.HTML
	States []stateLine
}

type stateLine struct {
	Name, Meaning string
	Swatch        template.HTML
	// Sides are faulty and fixed, and Peak and Final the names in JSON of what
	// they have.
	Sides       []render.State
	Peak, Final string
}

// sideVerdict is what one side was found to be.
type sideVerdict struct {
	Side         scenario.Side
	Mark, Result string
	verdict.Verdict
	Alternatives []string
}

type expectation struct {
	expect.Result
	Mark, Answer string
}

type fact struct{ Name, Value string }

func articleOf(e Entry) article {
	run := e.Run
	client, server := render.Ends(run, true)
	line, first := headline(run, &client, &server)
	second := &server
	if first == &server {
		second = &client
	}
	a := article{
		Title: title(run), Headline: line, Sentence: first.Now,
		Ends:     []endFigure{endFigureOf(first), endFigureOf(second)},
		Measures: measures(e, &client, &server), Stopped: run.Stopped, How: how(e),
	}
	for _, side := range scenario.Sides() {
		v := e.Outcome.Of(side)
		s := sideVerdict{Side: side, Mark: mark(v), Result: string(v.Kind), Verdict: v}
		if v.Leak {
			s.Result = leak + s.Result
		}
		for _, other := range v.Alternatives {
			s.Alternatives = append(s.Alternatives, otherwise(other))
		}
		a.Verdicts = append(a.Verdicts, s)
	}
	if run.Stopped == "" {
		a.Expectations, a.Met = expectationsOf(e.Outcome.Expectations)
	}
	if run.Commands == nil && scenarios.Has(run.Script.Implementation) {
		a.Code = run.Script.Implementation
		a.Difference = diffLines(scenarios.Difference(run.Script.Implementation))
	}
	return a
}

// headlineOf is the end whose charts show the difference of the sides: the client's,
// unless only the server has clearly more sockets on the faulty side. A server
// that closes first has what TIME_WAIT there is.
func headlineOf(client, server *render.Snapshot) *render.Snapshot {
	shows := func(p *render.Snapshot) bool { return clearlyMore(p.Faulty.Most, p.Fixed.Most) }
	if !shows(client) && shows(server) {
		return server
	}
	return client
}

// mark stands for a verdict where there is no room for words.
func mark(v verdict.Verdict) string {
	switch {
	case v.Leak:
		return "✗"
	case v.Kind == verdict.Healthy:
		return "✓"
	default:
		return "?"
	}
}

func endFigureOf(p *render.Snapshot) endFigure {
	f := endFigure{End: p.End, Note: sameScale(p)}
	for _, side := range []*render.Side{&p.Faulty, &p.Fixed} {
		c := &canvas{}
		const width, height = 560, 300
		c.printf(`<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", width, height,
			escaped(fmt.Sprintf("%s side: %s at the %s's end at most, %d held at the end of the run", side.Side, plural(side.Most, "socket"), p.End, side.Held)))
		ch := chart{snapshot: p, side: side, lead: patternLead, width: width, height: height}
		ch.draw(c)
		c.printf("</svg>")
		f.Charts = append(f.Charts, template.HTML(c.String()))
	}
	for i, s := range p.Faulty.States {
		c := &canvas{}
		c.printf(`<svg class="swatch" width="28" height="14" aria-hidden="true">`)
		c.swatch(patternLead, s.Name, 0, 0, 28, 14)
		c.printf("</svg>")
		f.States = append(f.States, stateLine{
			Name: s.Name, Meaning: render.Meaning(s.Name), Swatch: template.HTML(c.String()), Sides: []render.State{s, p.Fixed.States[i]},
			Peak: p.End + ".peak." + s.Name, Final: p.End + ".final." + s.Name,
		})
	}
	return f
}

func expectationsOf(results []expect.Result) ([]expectation, string) {
	var all []expectation
	met, skipped := 0, 0
	for _, r := range results {
		x := expectation{r, "✗", "NOT MET, got " + r.Got}
		switch {
		case r.Skipped != "":
			skipped++
			x.Mark, x.Answer = "–", "skipped, "+r.Skipped
		case r.Met:
			met++
			x.Mark, x.Answer = "✓", "met, got "+r.Got
			if r.Got == "" {
				x.Answer = "met"
			}
		}
		all = append(all, x)
	}
	return all, metOf(met, len(results), skipped)
}

// metOf counts expectations in words.
func metOf(met, of, skipped int) string {
	text := fmt.Sprintf("%d of %d expectations met", met, of-skipped)
	if skipped > 0 {
		text += fmt.Sprintf(", %d skipped", skipped)
	}
	return text
}

// diffLine is a line of a difference; Kind is add, gone, place or "".
type diffLine struct{ Kind, Text string }

func diffLines(diff string) []diffLine {
	var lines []diffLine
	for _, text := range strings.Split(strings.TrimSuffix(diff, "\n"), "\n") {
		l := diffLine{Text: text}
		switch {
		case strings.HasPrefix(text, "---"), strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "@@"):
			l.Kind = "place"
		case strings.HasPrefix(text, "+"):
			l.Kind = "add"
		case strings.HasPrefix(text, "-"):
			l.Kind = "gone"
		}
		lines = append(lines, l)
	}
	return lines
}

// repairTable is what each step of a repair came to.
type repairTable struct {
	ID     string
	Header []string
	Rows   [][]string
}

func repairTables(entries []Entry) []repairTable {
	var all []repairTable
	for _, r := range repairs(entries) {
		rows := stepRows(r)
		all = append(all, repairTable{r.id, rows[0], rows[1:]})
	}
	return all
}

// allPatterns are the fills of all states, in a fixed order, once for a page.
func allPatterns() template.HTML {
	var states []render.State
	for name := range theme {
		states = append(states, render.State{Name: name})
	}
	slices.SortFunc(states, func(a, b render.State) int { return strings.Compare(a.Name, b.Name) })
	c := &canvas{}
	c.patterns(patternLead, states)
	return template.HTML(c.String())
}

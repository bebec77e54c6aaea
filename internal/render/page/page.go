// Package page writes answers as pages and pictures: one HTML file that needs
// nothing beside itself (no script, no picture, no font), and SVG. It is a pure
// function of the answer.
package page

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/render"
	"socketlab/internal/verdict"
)

var _ = render.Register(render.Format{
	Name: "html", Rank: 5, Extensions: []string{".html", ".htm"}, Needs: render.HasBlocks, Render: write,
})

//go:embed page.css
var css string

// write writes all or nothing.
func write(w io.Writer, d *render.Document, _ render.Options) error {
	p := &page{document: d}
	p.WriteString("<!DOCTYPE html>\n")
	p.open("html", "lang", "en")
	p.open("head")
	p.empty("meta", "charset", "utf-8")
	p.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
	p.empty("meta", "http-equiv", "Content-Security-Policy", "content", "default-src 'none'; style-src 'unsafe-inline'")
	p.element("title", d.Title)
	p.WriteString("<style>\n" + css + dark() + "</style>")
	p.close()
	p.line()
	p.open("body")
	if len(d.Charts()) > 0 {
		p.open("svg", "class", "fills", "aria-hidden", "true")
		p.patterns()
		p.close()
	}
	p.open("header")
	p.element("h1", d.Title)
	p.close()
	p.line()
	p.open("main")
	for _, b := range d.Blocks {
		p.block(b)
	}
	p.closeTo(0)
	p.line()
	_, err := w.Write(p.Bytes())
	return err
}

// dark is the colours of what is drawn on a dark ground. On a light one, and on
// paper, the attributes of the drawing hold.
func dark() string {
	var out strings.Builder
	out.WriteString("@media screen and (prefers-color-scheme: dark) {\n")
	fmt.Fprintf(&out, "  .chart .ink { fill: %s }\n  .chart .faint { fill: %s }\n", inkDark, faintDark)
	fmt.Fprintf(&out, "  .chart .grid { stroke: %s }\n  .chart .top { stroke: %s }\n  .hatch { stroke: %s }\n", gridDark, inkDark, darkness)
	for _, s := range render.Stacking() {
		fmt.Fprintf(&out, "  .fill-%s { fill: %s }\n", s, render.LookOf(s.String()).Dark)
	}
	out.WriteString("}\n")
	return out.String()
}

// page is a page in the making. An answer of several is an article, a heading
// begins a section, and verdicts that follow each other stand beside each other.
type page struct {
	markup
	document *render.Document
}

// depth is how many elements are around a name's innermost element; all if there is
// none.
func (p *page) depth(name string) int {
	for i := len(p.opened) - 1; i >= 0; i-- {
		if p.opened[i] == name {
			return i
		}
	}
	return len(p.opened)
}

// closeTo ends all elements but so many.
func (p *page) closeTo(depth int) {
	for len(p.opened) > depth {
		p.close()
	}
	p.line()
}

func (p *page) block(b render.Block) {
	if _, ok := b.(render.Finding); !ok && p.opened[len(p.opened)-1] == "div" {
		p.close() // of the verdicts
		p.line()
	}
	switch b := b.(type) {
	case render.Part:
		p.closeTo(p.depth("article"))
		p.open("article")
		if b.Title != p.document.Title {
			p.element("p", b.Title, "class", "kicker")
		}
	case render.Heading:
		if b.Level > 2 {
			p.section()
		}
		p.element("h"+strconv.Itoa(b.Level), b.Text)
	case render.Text:
		p.paragraphs(&b)
	case render.Table:
		p.table(&b)
	case render.List:
		p.open("dl")
		for _, i := range b.Items {
			p.element("dt", i.Name)
			p.element("dd", i.Text)
			p.line()
		}
		p.close()
	case render.Code:
		p.code(&b)
	case render.Markdown:
		p.element("pre", b.Text, "class", "prose")
	case render.Finding:
		p.finding(&b)
	case render.Checklist:
		p.checklist(&b)
	case render.Charts:
		p.charts(&b.Snapshot)
	}
	p.line()
}

// section begins a section of the article, or of the main part.
func (p *page) section() {
	p.closeTo(p.depth("section"))
	p.open("section")
}

func (p *page) paragraphs(t *render.Text) {
	texts := []string{t.Text}
	if t.Lines {
		texts = strings.Split(t.Text, "\n")
	}
	for _, text := range texts {
		if t.Note {
			p.element("p", text, "class", "note")
		} else {
			p.element("p", text)
		}
	}
}

// scroll begins a part that may be wider than the screen.
func (p *page) scroll(name string) {
	p.open("div", "class", "wide", "tabindex", "0", "role", "region", "aria-label", name)
}

// charts writes a chart for each panel, and what its states mean.
func (p *page) charts(s *render.Snapshot) {
	p.section()
	p.element("h3", "At the "+s.End+"’s end")
	p.open("figure")
	p.open("div", "class", "charts")
	for i := range s.Panels {
		const width, height = 560, 300
		ch := chart{snapshot: s, panel: &s.Panels[i], width: width, height: height}
		p.open("svg", "class", "chart", "viewBox", fmt.Sprintf("0 0 %d %d", width, height), "role", "img", "aria-label", ch.describe())
		ch.draw(&p.markup)
		p.close()
		p.line()
	}
	p.close()
	p.element("figcaption", sameScale(s), "class", "note")
	p.close()
	p.line()
	if len(s.Panels) == 0 {
		return
	}
	p.scroll("Table: sockets by state")
	p.open("table", "class", "states", "style", fmt.Sprintf("--subjects: %d", len(s.Panels)))
	p.open("thead")
	p.open("tr")
	p.heads(render.Column{Title: "sockets: peak / final"})
	for _, panel := range s.Panels {
		p.heads(render.Column{Title: panel.Name, Number: true})
	}
	p.heads(render.Column{Title: "what it means"})
	p.close()
	p.close()
	p.open("tbody")
	for i, state := range s.Panels[0].States {
		p.line()
		p.open("tr", "data-metric", s.End+".peak."+state.Name+" "+s.End+".final."+state.Name)
		p.open("th", "scope", "row", "class", "state")
		p.open("svg", "class", "swatch", "width", "28", "height", "14", "aria-hidden", "true")
		p.swatch(state.Name, 0, 0, 28, 14)
		p.close()
		p.text(" " + state.Name)
		p.close()
		for _, panel := range s.Panels {
			var c render.Cell
			for _, n := range []int{panel.States[i].Peak, panel.States[i].Now} {
				c = append(c, render.Datum{Text: strconv.Itoa(n), Value: strconv.Itoa(n)})
			}
			p.cell(c, true)
		}
		p.element("td", render.LookOf(state.Name).Meaning)
		p.close()
	}
	p.close()
	p.close()
	p.close()
}

func (p *page) heads(c render.Column) {
	attributes := []string{"scope", "col"}
	if c.Number {
		attributes = append(attributes, "class", "number")
	}
	p.element("th", c.Title, attributes...)
}

func (p *page) cell(c render.Cell, number bool) {
	if number {
		p.open("td", "class", "number")
	} else {
		p.open("td")
	}
	p.data(c)
	p.close()
}

// data writes the values of a cell.
func (p *page) data(c render.Cell) {
	for i, d := range c {
		switch {
		case i > 0 && c[0].Link != "":
			p.empty("br")
			p.element("span", d.Text, "class", "note")
			continue
		case i > 0:
			p.text(" / ")
		}
		switch {
		case d.Link != "":
			p.element("a", d.Text, "href", d.Link)
		case d.Value != "":
			p.element("data", d.Text, "value", d.Value)
		default:
			p.text(d.Text)
		}
	}
}

// table writes a table, without what charts show already.
func (p *page) table(t *render.Table) {
	p.scroll("Table: " + t.Name)
	numbers := 0
	for _, c := range t.Columns {
		if c.Number {
			numbers++
		}
	}
	class := "figures"
	if numbers == 0 {
		class = "list"
	}
	p.open("table", "class", class, "style", fmt.Sprintf("--subjects: %d", numbers))
	p.open("thead")
	p.open("tr")
	for i, c := range t.Columns {
		if i == 0 && slices.ContainsFunc(t.Groups, func(g render.Group) bool { return g.Charted }) {
			c.Title = "measure" // the other title is of what charts show
		}
		p.heads(c)
	}
	p.close()
	p.close()
	for _, g := range t.Groups {
		if g.Charted {
			continue
		}
		p.line()
		p.open("tbody")
		if g.Title != "" {
			p.open("tr")
			p.element("th", g.Title, "scope", "rowgroup", "colspan", strconv.Itoa(len(t.Columns)), "class", "group")
			p.close()
		}
		for _, r := range g.Rows {
			p.line()
			if r.Metrics != nil {
				p.open("tr", "data-metric", strings.Join(r.Metrics, " "))
			} else {
				p.open("tr")
			}
			for i, c := range r.Cells {
				if i == 0 {
					p.open("th", "scope", "row")
					p.data(c)
					p.close()
				} else {
					p.cell(c, t.Columns[i].Number)
				}
			}
			p.close()
		}
		p.close()
	}
	p.close()
	p.close()
}

func (p *page) finding(f *render.Finding) {
	if p.opened[len(p.opened)-1] != "div" {
		p.open("div", "class", "sides")
	}
	v := f.Verdict
	class := "verdict"
	switch {
	case v.IsFault():
		class += " fault"
	case v.Kind != verdict.Healthy:
		class += " undecided"
	}
	p.open("div", "class", class)
	p.element("h4", render.Mark(v)+" "+f.Subject+": "+render.Label(v))
	if v.Severity != "" && v.Confidence != "" {
		p.element("p", "Confidence: "+string(v.Confidence)+".", "class", "note")
	}
	if f.Now != "" {
		p.element("p", "Now: "+f.Now+".", "class", "note")
	}
	p.open("ul")
	for _, said := range verdict.Evidence(v) {
		p.element("li", said)
	}
	p.close()
	for _, a := range v.Alternatives {
		p.element("p", a.Sentence())
	}
	if v.Forecast != nil {
		p.element("p", v.Forecast.Sentence())
	}
	if v.Fix != "" {
		p.open("p")
		p.element("b", "Fix:")
		p.text(" " + v.Fix)
		p.close()
	}
	if v.Severity != "" && v.Scenario != "" {
		p.open("p", "class", "note")
		p.text("The lesson: ")
		p.element("code", "sockwatch show "+v.Scenario)
		p.close()
	}
	p.close()
}

func (p *page) checklist(l *render.Checklist) {
	p.element("p", l.Summary())
	p.open("ul", "class", "checks")
	for _, c := range l.Checks {
		mark, label := "✗", c.Label()+": "
		switch label {
		case "ok: ":
			mark, label = "✓", ""
		case "skipped: ":
			mark = "–"
		}
		p.open("li")
		p.element("b", mark)
		p.text(label + c.Sentence())
		for _, d := range c.Details {
			p.empty("br")
			p.element("span", d, "class", "note")
		}
		p.close()
		p.line()
	}
	p.close()
}

// code writes text as it is, and the lines of a difference by what becomes of them.
func (p *page) code(c *render.Code) {
	p.open("pre", "tabindex", "0", "role", "region", "aria-label", "Code")
	for line := range strings.Lines(c.Text) {
		element := "span"
		if c.Language == "diff" {
			switch {
			case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"):
				p.element("span", line, "class", "place")
				continue
			case line[0] == '+':
				element = "ins"
			case line[0] == '-':
				element = "del"
			}
		}
		p.element(element, line)
	}
	p.close()
}

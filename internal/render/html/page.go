// Package html writes answers as pages and pictures: one HTML file that needs
// nothing beside itself (no script, no picture, no font), and SVG. It is a pure
// function of the answer.
package html

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/render"
	"socketlab/internal/render/markup"
	"socketlab/internal/verdict"
)

var _ = render.Register(render.Format{
	Name: "html", Rank: 5, Extensions: []string{".html", ".htm"}, Needs: render.HasBlocks, Render: writePage,
})

//go:embed page.css
var css string

// writePage writes all or nothing.
func writePage(w io.Writer, d *render.Document, _ render.Options) error {
	p := &page{document: d}
	p.WriteString("<!DOCTYPE html>\n")
	p.Open("html", "lang", "en")
	p.Open("head")
	p.Empty("meta", "charset", "utf-8")
	p.Empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
	p.Empty("meta", "http-equiv", "Content-Security-Policy", "content", "default-src 'none'; style-src 'unsafe-inline'")
	p.Element("title", d.Title)
	p.WriteString("<style>\n" + css + dark() + "</style>")
	p.Close()
	p.Line()
	p.Open("body")
	if d.Has()&render.HasCharts != 0 {
		p.Open("svg", "class", "fills", "aria-hidden", "true")
		patterns(&p.Writer)
		p.Close()
	}
	p.Open("header")
	p.Element("h1", d.Title)
	p.Close()
	p.Line()
	p.Open("main")
	for _, b := range d.Blocks {
		p.block(b)
	}
	p.closeTo(0)
	p.Line()
	_, err := io.WriteString(w, p.String())
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
	markup.Writer
	document *render.Document
}

// depth is how many elements are around a name's innermost element; all if there is
// none.
func (p *page) depth(name string) int {
	for i := len(p.Opened()) - 1; i >= 0; i-- {
		if p.Opened()[i] == name {
			return i
		}
	}
	return len(p.Opened())
}

// closeTo ends all elements but so many.
func (p *page) closeTo(depth int) {
	for len(p.Opened()) > depth {
		p.Close()
	}
	p.Line()
}

func (p *page) block(b render.Block) {
	if _, ok := b.(render.Finding); !ok && p.Opened()[len(p.Opened())-1] == "div" {
		p.Close() // of the verdicts
		p.Line()
	}
	switch b := b.(type) {
	case render.Part:
		p.closeTo(p.depth("article"))
		p.Open("article")
		if b.Title != p.document.Title {
			p.Element("p", b.Title, "class", "kicker")
		}
	case render.Heading:
		if b.Level > 2 {
			p.section()
		}
		p.Element("h"+strconv.Itoa(b.Level), b.Text)
	case render.Text:
		p.paragraphs(&b)
	case render.Table:
		p.table(&b)
	case render.List:
		p.Open("dl")
		for _, i := range b.Items {
			p.Element("dt", i.Name)
			p.Element("dd", i.Text)
			p.Line()
		}
		p.Close()
	case render.Code:
		p.code(&b)
	case render.Markdown:
		p.Element("pre", b.Text, "class", "prose")
	case render.Finding:
		p.finding(&b)
	case render.Checklist:
		p.checklist(&b)
	case render.Charts:
		p.charts(&b.Snapshot)
	case render.Sequence:
		p.scroll("Sequence diagram")
		p.Open("svg", "class", "chart sequence", "viewBox", fmt.Sprintf("0 0 %d %d", sequenceWidth, sequenceHeight(&b)))
		drawSequence(&p.Writer, &b, 0)
		p.Close()
		p.Close()
	}
	p.Line()
}

// section begins a section of the article, or of the main part.
func (p *page) section() {
	p.closeTo(p.depth("section"))
	p.Open("section")
}

func (p *page) paragraphs(t *render.Text) {
	texts := []string{t.Text}
	if t.Lines {
		texts = strings.Split(t.Text, "\n")
	}
	for _, text := range texts {
		if t.Note {
			p.Element("p", text, "class", "note")
		} else {
			p.Element("p", text)
		}
	}
}

// scroll begins a part that may be wider than the screen.
func (p *page) scroll(name string) {
	p.Open("div", "class", "wide", "tabindex", "0", "role", "region", "aria-label", name)
}

// charts writes a chart for each panel, and what its states mean.
func (p *page) charts(s *render.Snapshot) {
	p.section()
	p.Element("h3", "At the "+s.End+"’s end")
	p.Open("figure")
	p.Open("div", "class", "charts")
	for i := range s.Panels {
		const width, height = 560, 300
		ch := chart{snapshot: s, panel: &s.Panels[i], width: width, height: height}
		p.Open("svg", "class", "chart", "viewBox", fmt.Sprintf("0 0 %d %d", width, height), "role", "img", "aria-label", ch.describe())
		ch.draw(&p.Writer)
		p.Close()
		p.Line()
	}
	p.Close()
	p.Element("figcaption", sameScale(s), "class", "note")
	p.Close()
	p.Line()
	if len(s.Panels) == 0 {
		return
	}
	p.scroll("Table: sockets by state")
	p.Open("table", "class", "states", "style", fmt.Sprintf("--subjects: %d", len(s.Panels)))
	p.Open("thead")
	p.Open("tr")
	p.heads(render.Column{Title: "sockets: peak / final"})
	for _, panel := range s.Panels {
		p.heads(render.Column{Title: panel.Name, Number: true})
	}
	p.heads(render.Column{Title: "what it means"})
	p.Close()
	p.Close()
	p.Open("tbody")
	for i, state := range s.Panels[0].States {
		p.Line()
		p.Open("tr", "data-metric", s.End+".peak."+state.Name+" "+s.End+".final."+state.Name)
		p.Open("th", "scope", "row", "class", "state")
		p.Open("svg", "class", "swatch", "width", "28", "height", "14", "aria-hidden", "true")
		swatch(&p.Writer, state.Name, 0, 0, 28, 14)
		p.Close()
		p.Text(" " + state.Name)
		p.Close()
		for _, panel := range s.Panels {
			var c render.Cell
			for _, n := range []int{panel.States[i].Peak, panel.States[i].Now} {
				c = append(c, render.Datum{Text: strconv.Itoa(n), Value: strconv.Itoa(n)})
			}
			p.cell(c, true)
		}
		p.Element("td", render.LookOf(state.Name).Meaning)
		p.Close()
	}
	p.Close()
	p.Close()
	p.Close()
}

func (p *page) heads(c render.Column) {
	attributes := []string{"scope", "col"}
	if c.Number {
		attributes = append(attributes, "class", "number")
	}
	p.Element("th", c.Title, attributes...)
}

func (p *page) cell(c render.Cell, number bool) {
	if number {
		p.Open("td", "class", "number")
	} else {
		p.Open("td")
	}
	p.data(c)
	p.Close()
}

// data writes the values of a cell.
func (p *page) data(c render.Cell) {
	for i, d := range c {
		switch {
		case i > 0 && c[0].Link != "":
			p.Empty("br")
			p.Element("span", d.Text, "class", "note")
			continue
		case i > 0:
			p.Text(" / ")
		}
		switch {
		case d.Link != "":
			p.Element("a", d.Text, "href", d.Link)
		case d.Value != "":
			p.Element("data", d.Text, "value", d.Value)
		default:
			p.Text(d.Text)
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
	p.Open("table", "class", class, "style", fmt.Sprintf("--subjects: %d", numbers))
	p.Open("thead")
	p.Open("tr")
	for i, c := range t.Columns {
		if i == 0 && slices.ContainsFunc(t.Groups, func(g render.Group) bool { return g.Charted }) {
			c.Title = "measure" // the other title is of what charts show
		}
		p.heads(c)
	}
	p.Close()
	p.Close()
	for _, g := range t.Groups {
		if g.Charted {
			continue
		}
		p.Line()
		p.Open("tbody")
		if g.Title != "" {
			p.Open("tr")
			p.Element("th", g.Title, "scope", "rowgroup", "colspan", strconv.Itoa(len(t.Columns)), "class", "group")
			p.Close()
		}
		for _, r := range g.Rows {
			p.Line()
			if r.Metrics != nil {
				p.Open("tr", "data-metric", strings.Join(r.Metrics, " "))
			} else {
				p.Open("tr")
			}
			for i, c := range r.Cells {
				if i == 0 {
					p.Open("th", "scope", "row")
					p.data(c)
					p.Close()
				} else {
					p.cell(c, t.Columns[i].Number)
				}
			}
			p.Close()
		}
		p.Close()
	}
	p.Close()
	p.Close()
}

func (p *page) finding(f *render.Finding) {
	if p.Opened()[len(p.Opened())-1] != "div" {
		p.Open("div", "class", "sides")
	}
	v := f.Verdict
	class := "verdict"
	switch {
	case v.IsFault():
		class += " fault"
	case v.Kind != verdict.Healthy:
		class += " undecided"
	}
	p.Open("div", "class", class)
	p.Element("h4", render.Mark(v)+" "+f.Subject+": "+render.Label(v))
	if v.Severity != "" && v.Confidence != "" {
		p.Element("p", "Confidence: "+string(v.Confidence)+".", "class", "note")
	}
	if f.Program != "" {
		p.Element("p", "Program: "+f.Program+".", "class", "note")
	}
	if f.Now != "" {
		p.Element("p", "Now: "+f.Now+".", "class", "note")
		for _, process := range f.Processes {
			p.Element("p", "Of it "+process+".", "class", "note")
		}
	}
	p.Open("ul")
	for _, said := range verdict.Evidence(v) {
		p.Element("li", said)
	}
	p.Close()
	for _, a := range v.Alternatives {
		p.Element("p", a.Sentence())
	}
	if v.Forecast != nil {
		p.Element("p", v.Forecast.Sentence())
	}
	if v.Fix != "" {
		p.Open("p")
		p.Element("b", "Fix:")
		p.Text(" " + v.Fix)
		p.Close()
	}
	if v.Severity != "" && v.Scenario != "" {
		p.Open("p", "class", "note")
		p.Text("The lesson: ")
		p.Element("code", "sockwatch show "+v.Scenario)
		p.Close()
	}
	p.Close()
}

func (p *page) checklist(l *render.Checklist) {
	p.Element("p", l.Summary())
	p.Open("ul", "class", "checks")
	for _, c := range l.Checks {
		mark, label := "✗", c.Label()+": "
		switch label {
		case "ok: ":
			mark, label = "✓", ""
		case "skipped: ":
			mark = "–"
		}
		p.Open("li")
		p.Element("b", mark)
		p.Text(label + c.Sentence())
		for _, d := range c.Details {
			p.Empty("br")
			p.Element("span", d, "class", "note")
		}
		p.Close()
		p.Line()
	}
	p.Close()
}

// code writes text as it is, and the lines of a difference by what becomes of them.
func (p *page) code(c *render.Code) {
	p.Open("pre", "tabindex", "0", "role", "region", "aria-label", "Code")
	for line := range strings.Lines(c.Text) {
		element := "span"
		if c.Language == "diff" {
			switch {
			case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"):
				p.Element("span", line, "class", "place")
				continue
			case line[0] == '+':
				element = "ins"
			case line[0] == '-':
				element = "del"
			}
		}
		p.Element(element, line)
	}
	p.Close()
}

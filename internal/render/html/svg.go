package html

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"socketlab/internal/render"
	"socketlab/internal/render/markup"
)

var _ = render.Register(render.Format{
	Name: "svg", Rank: 6, Extensions: []string{".svg"}, Needs: render.HasCharts, Render: writeSVG,
})

// The size of a slide. It grows downwards when many states have to be explained, or
// there are many charts.
const (
	slideWidth  = 1280
	slideHeight = 720
	slideMargin = 40
	slideTop    = 150 // where the charts begin
	legendLine  = 26
)

// writeSVG writes a picture for a slide, which needs nothing beside itself: the charts
// of the first observation, at the end that comes first, or else the sequence diagram.
func writeSVG(w io.Writer, d *render.Document, _ render.Options) error {
	m := &markup.Writer{}
	if len(d.Charts()) > 0 {
		writeCharts(m, d)
	} else {
		writeSequence(m, d)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// begin begins a picture with its texts, of which the sentence may be "".
func begin(m *markup.Writer, width, height int, title, line, sentence string) {
	m.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	m.Open("svg", "xmlns", "http://www.w3.org/2000/svg", "width", strconv.Itoa(width), "height", strconv.Itoa(height),
		"viewBox", fmt.Sprintf("0 0 %d %d", width, height), "font-family", "DejaVu Sans, Verdana, Arial, sans-serif", "role", "img")
	m.Line()
	m.Element("title", title)
	m.Element("desc", line+". "+sentence)
	m.Line()
	patterns(m)
	m.Empty("rect", "class", "ground", "width", "100%", "height", "100%", "fill", ground)
	m.Line()
	write(m, slideMargin, 46, 18, "faint", faint, shortened(title, 110))
	write(m, slideMargin, 92, 38, "ink", ink, shortened(line, 56*width/slideWidth), "font-weight", "bold")
}

// writeSequence writes the sequence diagram of a document.
func writeSequence(m *markup.Writer, d *render.Document) {
	const top = 110
	s := d.Sequence()
	begin(m, sequenceWidth, top+sequenceHeight(s), d.Title, headline(d), "")
	drawSequence(m, s, top)
	m.Close()
	m.Line()
}

func writeCharts(m *markup.Writer, d *render.Document) {
	s := d.Charts()[0].Snapshot
	line := headline(d)
	columns := min(len(s.Panels), 4)
	if len(s.Panels) > 4 {
		columns = 3
	}
	columns = max(columns, 1)
	rows := (len(s.Panels) + columns - 1) / columns
	var states []render.State
	if len(s.Panels) > 0 {
		states = s.Panels[0].States
	}
	height := max(slideHeight-slideTop-40-legendLine*max(len(states), 4), 300*rows)
	whole := max(slideTop+height+40+legendLine*len(states), slideHeight)
	begin(m, slideWidth, whole, d.Title, line, s.Sentence)
	write(m, slideMargin, 124, 18, "ink", ink, shortened(s.Sentence, 120))
	for i := range s.Panels {
		ch := chart{snapshot: &s, panel: &s.Panels[i], width: float64(slideWidth-2*slideMargin) / float64(columns), height: float64(height / rows)}
		ch.x, ch.y = slideMargin+float64(i%columns)*ch.width, slideTop+float64(i/columns)*ch.height
		ch.draw(m)
	}
	y := float64(slideTop + height + 20)
	write(m, slideMargin+6, y, 14, "faint", faint, sameScale(&s))
	for i, state := range states {
		at := y + float64(i+1)*legendLine
		swatch(m, state.Name, slideMargin+6, at-13, 30, 16)
		write(m, slideMargin+46, at, 15, "ink", ink, state.Name, "font-weight", "bold")
		var now []string
		for _, p := range s.Panels {
			now = append(now, strconv.Itoa(p.States[i].Now))
		}
		write(m, slideMargin+190, at, 15, "ink", ink, shortened(strings.Join(now, " / ")+" at the end: "+render.LookOf(state.Name).Meaning, 110))
	}
	m.Close()
	m.Line()
}

// headline is that of the first answer of a document.
func headline(d *render.Document) string {
	for _, b := range d.Blocks {
		if h, ok := b.(render.Heading); ok && h.Level == 2 {
			return h.Text
		}
	}
	return d.Title
}

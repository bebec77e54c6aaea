package report

import (
	"fmt"
	"io"
	"strings"

	"socketlab/internal/lab"
	"socketlab/internal/render"
)

// The size of a slide. It grows downwards when many states have to be explained.
const (
	slideWidth  = 1280
	slideHeight = 720
	slideMargin = 40
	legendLine  = 26
)

// SVG writes both sides' charts, at the end that shows the difference, as a
// picture for a slide, which needs nothing beside itself.
func SVG(w io.Writer, run *lab.Run) error {
	const lead = "state-"
	client, server := render.Ends(run, true)
	line, end := headline(run, &client, &server)
	p := *end
	states := p.Faulty.States
	charts := slideHeight - 190 - legendLine*max(len(states), 4)
	charts = max(charts, 300)
	height := 150 + charts + 40 + legendLine*len(states)
	c := &canvas{}
	c.printf(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Verdana, Arial, sans-serif" role="img">`+"\n",
		slideWidth, max(height, slideHeight), slideWidth, max(height, slideHeight))
	c.printf("<title>%s</title>\n<desc>%s %s</desc>\n", escaped(p.Scenario+": "+p.Title), escaped(line+"."), escaped(p.Now))
	c.patterns(lead, states)
	c.printf(`<rect class="ground" width="100%%" height="100%%" fill="%s"/>`+"\n", ground)
	c.text(slideMargin, 46, 18, "faint", faint, "", shortened(p.Scenario+": "+p.Title, 110))
	c.text(slideMargin, 92, 38, "ink", ink, ` font-weight="bold"`, line)
	c.text(slideMargin, 124, 18, "ink", ink, "", shortened(p.Now, 120))
	width := float64(slideWidth-2*slideMargin) / 2
	for i, side := range []*render.Side{&p.Faulty, &p.Fixed} {
		ch := chart{snapshot: &p, side: side, lead: lead, x: slideMargin + float64(i)*width, y: 150, width: width, height: float64(charts)}
		ch.draw(c)
	}
	y := float64(150 + charts + 20)
	c.text(slideMargin+6, y, 14, "faint", faint, "", sameScale(&p))
	for i, s := range states {
		at := y + float64(i+1)*legendLine
		c.swatch(lead, s.Name, slideMargin+6, at-13, 30, 16)
		c.text(slideMargin+46, at, 15, "ink", ink, ` font-weight="bold"`, s.Name)
		c.text(slideMargin+190, at, 15, "ink", ink, "", fmt.Sprintf("%d against %d at the end: %s", s.Now, p.Fixed.States[i].Now, render.Meaning(s.Name)))
	}
	c.printf("\n</svg>\n")
	_, err := w.Write(c.Bytes())
	return err
}

// sameScale says what both charts show.
func sameScale(p *render.Snapshot) string {
	return fmt.Sprintf("Sockets at the %s's end, by state. Both charts have the same scale.", p.End)
}

// shortened cuts a text that does not fit a line.
func shortened(s string, width int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

package report

import (
	"fmt"
	"io"
	"strings"

	"socketlab/internal/socketstats"
	"socketlab/internal/view"
)

// The size of a slide. It grows downwards when many states have to be explained.
const (
	slideWidth  = 1280
	slideHeight = 720
	slideMargin = 40
	legendLine  = 26
)

// SVG writes both sides' charts as a picture for a slide, which needs nothing
// beside itself.
func SVG(w io.Writer, p view.Picture) error {
	const lead = "state-"
	states := p.Faulty.States
	charts := slideHeight - 190 - legendLine*max(len(states), 4)
	charts = max(charts, 300)
	height := 150 + charts + 40 + legendLine*len(states)
	c := &canvas{}
	c.printf(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Verdana, Arial, sans-serif" role="img">`+"\n",
		slideWidth, max(height, slideHeight), slideWidth, max(height, slideHeight))
	c.printf("<title>%s</title>\n<desc>%s %s</desc>\n", escaped(p.Scenario+": "+p.Title), escaped(headline(&p)+"."), escaped(p.Now))
	c.patterns(lead, states)
	c.printf(`<rect class="ground" width="100%%" height="100%%" fill="%s"/>`+"\n", ground)
	c.text(slideMargin, 46, 18, "faint", faint, "", shortened(p.Scenario+": "+p.Title, 110))
	c.text(slideMargin, 92, 38, "ink", ink, ` font-weight="bold"`, headline(&p))
	c.text(slideMargin, 124, 18, "ink", ink, "", shortened(p.Now, 120))
	width := float64(slideWidth-2*slideMargin) / 2
	for i, side := range []*view.Side{&p.Faulty, &p.Fixed} {
		ch := chart{picture: &p, side: side, lead: lead, x: slideMargin + float64(i)*width, y: 150, width: width, height: float64(charts)}
		ch.draw(c)
	}
	y := float64(150 + charts + 20)
	c.text(slideMargin+6, y, 14, "faint", faint, "", sameScale(&p))
	for i, s := range states {
		at := y + float64(i+1)*legendLine
		c.swatch(lead, s.Name, slideMargin+6, at-13, 30, 16)
		c.text(slideMargin+46, at, 15, "ink", ink, ` font-weight="bold"`, s.Name)
		c.text(slideMargin+190, at, 15, "ink", ink, "", fmt.Sprintf("%d against %d at the end: %s", s.Now, p.Fixed.States[i].Now, view.Meaning(s.Name)))
	}
	c.printf("\n</svg>\n")
	_, err := w.Write(c.Bytes())
	return err
}

// headline is a run in two numbers: the peaks of both charts, or, where those are
// alike, what does tell the sides apart. A figure that is not known is 0 here.
func headline(p *view.Picture) string {
	faulty, fixed := p.Faulty, p.Fixed
	switch {
	case clearlyMore(faulty.Most, fixed.Most):
	case fixed.Opened > 0 && clearlyMore(faulty.Opened, fixed.Opened):
		return fmt.Sprintf("%s opened against %d", plural(int(faulty.Opened), "connection"), fixed.Opened)
	case fixed.Sent > 0 && clearlyMore(faulty.Failed, fixed.Failed):
		return fmt.Sprintf("%s failed against %d", plural(int(faulty.Failed), "request"), fixed.Failed)
	}
	text := fmt.Sprintf("%s against %d", plural(faulty.Most, "socket"), fixed.Most)
	if p.End == socketstats.Server.String() {
		text += " at the server"
	}
	return text
}

// clearlyMore reports whether one side has half as much again as the other.
func clearlyMore[N int | int64](faulty, fixed N) bool { return faulty > fixed && 2*faulty >= 3*fixed }

// sameScale says what both charts show.
func sameScale(p *view.Picture) string {
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

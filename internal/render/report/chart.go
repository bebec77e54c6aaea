package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"time"

	"socketlab/internal/render"
)

// canvas is SVG in the making. Colours are attributes, because what draws SVG
// outside a browser knows no CSS variables; the classes let a page's own style
// override them.
type canvas struct{ bytes.Buffer }

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// text writes a line of text, escaped.
func (c *canvas) text(x, y float64, size int, class, fill, more, s string) {
	c.printf(`<text x="%s" y="%s" font-size="%d" class="%s" fill="%s"%s>%s</text>`, num(x), num(y), size, class, fill, more, escaped(s))
}

// escaped is text for XML and HTML. Characters that XML forbids are replaced.
func escaped(s string) string {
	var out bytes.Buffer
	if err := xml.EscapeText(&out, []byte(s)); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.String()
}

// num writes a coordinate with a digit behind the point at most: a chart is
// mostly coordinates.
func num(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// patterns writes the fills of states, under names that begin with lead.
func (c *canvas) patterns(lead string, states []render.State) {
	c.printf("<defs>")
	for _, s := range states {
		l := theme[s.Name]
		c.printf(`<pattern id="%s%s" width="8" height="8" patternUnits="userSpaceOnUse">`, lead, s.Name)
		c.printf(`<rect class="fill-%s" width="8" height="8" fill="%s"/>`, s.Name, l.light)
		if l.lines != "" {
			c.printf(`<path class="hatch" d="%s" fill="none" stroke="%s" stroke-width="%s"/>`, l.lines, ground, l.width)
		}
		c.printf(`</pattern>`)
	}
	c.printf("</defs>\n")
}

// swatch writes a sample of a state's fill.
func (c *canvas) swatch(lead, state string, x, y, width, height float64) {
	c.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="url(#%s%s)"/>`, num(x), num(y), num(width), num(height), lead, state)
}

// chart is where one side's sockets are drawn.
type chart struct {
	snapshot *render.Snapshot
	side     *render.Side
	// lead begins the names of the patterns.
	lead                string
	x, y, width, height float64
}

const (
	marginLeft   = 46
	marginRight  = 26 // room for half of the last time
	marginTop    = 30
	marginBottom = 26
	smallText    = 13
)

func (ch *chart) atX(at time.Duration) float64 {
	length := max(ch.snapshot.Length, 1)
	return ch.x + marginLeft + (ch.width-marginLeft-marginRight)*float64(min(at, length))/float64(length)
}

func (ch *chart) atY(n int) float64 {
	bottom := ch.y + ch.height - marginBottom
	return bottom - (ch.height-marginTop-marginBottom)*float64(n)/float64(max(ch.snapshot.Scale, 1))
}

// draw writes the chart: the axes, the states upon each other, and a line along
// the top, so that even a socket among thousands shows.
func (ch *chart) draw(c *canvas) {
	c.text(ch.x+marginLeft, ch.y+16, 16, "ink", ink, ` font-weight="bold"`, mark(ch.side.Verdict)+" "+string(ch.side.Side))
	left, right := ch.atX(0), ch.atX(ch.snapshot.Length)
	for n := 0; n <= ch.snapshot.Scale; n += sizeStep(ch.snapshot.Scale) {
		c.printf(`<path class="grid" d="M%s %sH%s" stroke="%s"/>`, num(left), num(ch.atY(n)), num(right), gridline)
		c.text(left-7, ch.atY(n)+4, smallText, "faint", faint, ` text-anchor="end"`, strconv.Itoa(n))
	}
	step := timeStep(ch.snapshot.Length)
	for at := time.Duration(0); at <= ch.snapshot.Length; at += step {
		c.printf(`<path class="grid" d="M%s %sv4" stroke="%s"/>`, num(ch.atX(at)), num(ch.atY(0)), gridline)
		c.text(ch.atX(at), ch.y+ch.height-6, smallText, "faint", faint, ` text-anchor="middle"`, seconds(at))
		if ch.snapshot.Length == 0 {
			break
		}
	}
	points := thinned(ch.side.Points)
	if len(points) == 0 {
		return
	}
	below := make([]int, len(points))
	for i, state := range ch.side.States {
		above := make([]int, len(points))
		some := false
		for j, p := range points {
			above[j] = below[j] + p.Counts[i]
			some = some || p.Counts[i] > 0
		}
		if some {
			c.printf(`<path d="%s" fill="url(#%s%s)"/>`, ch.area(points, below, above), ch.lead, state.Name)
		}
		below = above
	}
	c.printf(`<path class="top" d="%s" fill="none" stroke="%s" stroke-width="1.4"/>`+"\n", ch.steps(points, below), ink)
}

// until is the time up to which a point stands for what is there.
func (ch *chart) until(points []render.Point, i int) float64 {
	if i+1 < len(points) {
		return ch.atX(points[i+1].At)
	}
	return ch.atX(max(ch.snapshot.At, points[i].At))
}

// steps is the path along counts, from left to right.
func (ch *chart) steps(points []render.Point, counts []int) string {
	var d bytes.Buffer
	fmt.Fprintf(&d, "M%s %s", num(ch.atX(points[0].At)), num(ch.atY(counts[0])))
	for i := range points {
		if i+1 < len(points) && counts[i+1] == counts[i] {
			continue // one line for both
		}
		fmt.Fprintf(&d, "H%s", num(ch.until(points, i)))
		if i+1 < len(points) {
			fmt.Fprintf(&d, "V%s", num(ch.atY(counts[i+1])))
		}
	}
	return d.String()
}

// area is the path around what lies between two rows of counts.
func (ch *chart) area(points []render.Point, below, above []int) string {
	var d bytes.Buffer
	d.WriteString(ch.steps(points, above))
	last := len(points) - 1
	fmt.Fprintf(&d, "V%s", num(ch.atY(below[last])))
	for i := last; i > 0; i-- {
		if below[i-1] != below[i] {
			fmt.Fprintf(&d, "H%sV%s", num(ch.atX(points[i].At)), num(ch.atY(below[i-1])))
		}
	}
	fmt.Fprintf(&d, "H%sZ", num(ch.atX(points[0].At)))
	return d.String()
}

// mostPoints is how many samples a chart shows: more than its width can.
const mostPoints = 200

// thinned leaves, of samples that would be drawn on one spot, the one with the
// most sockets, and always the last, so that a long run is no larger than a
// short one and no peak is lost.
func thinned(points []render.Point) []render.Point {
	if len(points) <= mostPoints {
		return points
	}
	var kept []render.Point
	last := len(points) - 1
	for i := range mostPoints {
		most := points[i*last/mostPoints]
		for _, p := range points[i*last/mostPoints : (i+1)*last/mostPoints] {
			if p.Total() > most.Total() {
				most = p
			}
		}
		kept = append(kept, most)
	}
	return append(kept, points[last])
}

// sizeStep is the distance of two lines of a scale: about five of them.
func sizeStep(scale int) int {
	for step := 1; ; step *= 10 {
		for _, s := range []int{step, 2 * step, 5 * step} {
			if scale/s <= 7 {
				return s
			}
		}
	}
}

// timeStep is the distance of two times of an axis: about five of them.
func timeStep(length time.Duration) time.Duration {
	steps := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
		10 * time.Second, 15 * time.Second, 30 * time.Second,
	}
	for _, s := range steps {
		if length/s <= 6 {
			return s
		}
	}
	step := time.Minute
	for length/step > 6 {
		step *= 2
	}
	return step
}

// seconds writes a time of an axis.
func seconds(at time.Duration) string {
	return strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + " s"
}

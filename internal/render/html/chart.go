package html

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"socketlab/internal/render"
	"socketlab/internal/render/markup"
	"socketlab/internal/words"
)

// The colours of what is no socket, on a light and on a dark ground. Colours are
// attributes, because what draws SVG outside a browser knows no CSS variables; the
// classes let a page's style override them.
const (
	ink       = "#1b1f24"
	faint     = "#57606a"
	gridline  = "#d0d7de"
	ground    = "#ffffff"
	inkDark   = "#e6edf3"
	faintDark = "#9ba4ae"
	gridDark  = "#3a424c"
	darkness  = "#11151a"
)

// write writes a line of text in a drawing.
func write(m *markup.Writer, x, y float64, size int, class, fill, s string, more ...string) {
	m.Element("text", s, append([]string{"x", num(x), "y", num(y), "font-size", strconv.Itoa(size), "class", class, "fill", fill}, more...)...)
}

// num writes a coordinate with a digit behind the point at most: a chart is
// mostly coordinates.
func num(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// fillOf is how an element is filled as sockets in a state are.
func fillOf(state string) string { return "url(#state-" + state + ")" }

// patterns writes the fills of all states.
func patterns(m *markup.Writer) {
	m.Open("defs")
	for _, s := range render.Stacking() {
		name, look := s.String(), render.LookOf(s.String())
		m.Open("pattern", "id", "state-"+name, "width", "8", "height", "8", "patternUnits", "userSpaceOnUse")
		m.Empty("rect", "class", "fill-"+name, "width", "8", "height", "8", "fill", look.Light)
		if look.Lines != "" {
			m.Empty("path", "class", "hatch", "d", look.Lines, "fill", "none", "stroke", ground, "stroke-width", look.Width)
		}
		m.Close()
	}
	m.Close()
	m.Line()
}

// swatch writes a sample of a state's fill.
func swatch(m *markup.Writer, state string, x, y, width, height float64) {
	m.Empty("rect", "x", num(x), "y", num(y), "width", num(width), "height", num(height), "fill", fillOf(state))
}

// chart is where one panel's sockets are drawn.
type chart struct {
	snapshot            *render.Snapshot
	panel               *render.Panel
	x, y, width, height float64
}

const (
	marginLeft   = 46
	marginRight  = 26 // room for half of the last time
	marginTop    = 30
	marginBottom = 26
	smallText    = 13
)

// describe says what a chart shows, for those who cannot see it.
func (ch *chart) describe() string {
	return fmt.Sprintf("%s: %s at the %s's end at most, %d open at the end of the observation",
		ch.panel.Name, words.Plural(ch.panel.Most, "socket"), ch.snapshot.End, ch.panel.Held)
}

func (ch *chart) length() time.Duration { return ch.snapshot.To - ch.snapshot.From }

func (ch *chart) atX(at time.Duration) float64 {
	length := max(ch.length(), 1)
	at = min(max(at-ch.snapshot.From, 0), length)
	return ch.x + marginLeft + (ch.width-marginLeft-marginRight)*float64(at)/float64(length)
}

func (ch *chart) atY(n int) float64 {
	bottom := ch.y + ch.height - marginBottom
	return bottom - (ch.height-marginTop-marginBottom)*float64(n)/float64(max(ch.snapshot.Scale, 1))
}

// draw writes the chart: the axes, the states upon each other, and a line along
// the top, so that even a socket among thousands shows.
func (ch *chart) draw(m *markup.Writer) {
	most := max(int(ch.width/11), 10) // letters that fit above the chart
	write(m, ch.x+marginLeft, ch.y+16, 16, "ink", ink, shortened(render.Mark(ch.panel.Verdict)+" "+ch.panel.Name, most), "font-weight", "bold")
	s := ch.snapshot
	left, right := ch.atX(s.From), ch.atX(s.To)
	step := sizeStep(s.Scale)
	for n := 0; n <= min(s.Scale, 2*step); n += step {
		m.Empty("path", "class", "grid", "d", fmt.Sprintf("M%s %sH%s", num(left), num(ch.atY(n)), num(right)), "stroke", gridline)
		write(m, left-7, ch.atY(n)+4, smallText, "faint", faint, strconv.Itoa(n), "text-anchor", "end")
	}
	every := timeStep(ch.length())
	for at := s.From.Truncate(every); at <= s.To; at += every {
		if at < s.From {
			continue
		}
		m.Empty("path", "class", "grid", "d", fmt.Sprintf("M%s %sv4", num(ch.atX(at)), num(ch.atY(0))), "stroke", gridline)
		write(m, ch.atX(at), ch.y+ch.height-6, smallText, "faint", faint, seconds(at), "text-anchor", "middle")
	}
	points := thinned(ch.panel.Points)
	if len(points) == 0 {
		return
	}
	below := make([]int, len(points))
	for i, state := range ch.panel.States {
		above := make([]int, len(points))
		some := false
		for j, p := range points {
			above[j] = below[j] + p.Counts[i]
			some = some || p.Counts[i] > 0
		}
		if some {
			m.Empty("path", "d", ch.area(points, below, above), "fill", fillOf(state.Name))
		}
		below = above
	}
	m.Empty("path", "class", "top", "d", ch.steps(points, below), "fill", "none", "stroke", ink, "stroke-width", "1.4")
	m.Line()
}

// newest is the width of the last sample, which is to be seen although nothing follows.
const newest = 3

// until is how far to the right a point stands for what is there: from its sample on, to
// the next one.
func (ch *chart) until(points []render.Point, i int) float64 {
	if i+1 < len(points) {
		return ch.atX(points[i+1].At)
	}
	return max(ch.atX(ch.snapshot.At), ch.atX(points[i].At)+newest)
}

// steps is the path along counts, from left to right.
func (ch *chart) steps(points []render.Point, counts []int) string {
	var d strings.Builder
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
	var d strings.Builder
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

// sizeStep is the distance of the lines of a scale: at most three, from 0 on, as far
// apart as can be that are easily read. The page's are the same (labels in
// internal/render/web/assets/chart.js).
func sizeStep(scale int) int {
	ten := 1
	for 20*ten <= scale {
		ten *= 10
	}
	for _, tenths := range []int{80, 75, 60, 50, 40, 30, 25, 20, 15, 10} {
		if step := tenths * ten / 10; tenths*ten%10 == 0 && 2*step <= scale {
			return step
		}
	}
	return 1
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

// sameScale says what the charts show.
func sameScale(s *render.Snapshot) string {
	text := fmt.Sprintf("Sockets at the %s's end, by state.", s.End)
	switch len(s.Panels) {
	case 0, 1:
		return text
	case 2:
		return text + " Both charts have the same scale."
	}
	return text + " All charts have the same scale."
}

// shortened cuts a text that does not fit a line.
func shortened(s string, width int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

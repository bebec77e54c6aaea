package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"socketlab/internal/render"
)

// pane is a frame with one side of a run, or one process.
type pane struct {
	name, what, trend, arrow string
	style                    ansi.Style
	number, says             string
	picture                  string // of what the bars and the chart are, where the number does not say it
	chart                    chart
	facts                    []string // what fits in lines, each of them whole or cut off
	found                    []string // the verdict and its sentences, of which those are shown that have room
	audience                 bool     // the verdict is in an audience's words
}

// leastPane is the least height of a pane: it has no chart then, but its number,
// its trend and its bars.
const leastPane = 10

// shape is what panes have in common, so that their numbers are of one size and their
// charts of one height.
type shape struct {
	digits, says, below int
	peaks               map[string]int // the highest of each state
}

// shapeOf is the shape of panes that are at least so wide and so high.
func shapeOf(panes []*pane, width, height int) shape {
	inner, room := width-4, height-2
	s := shape{digits: max(min(room/roomForSize, mostSize), 1), peaks: map[string]int{}}
	for _, p := range panes {
		for _, state := range p.chart.states {
			s.peaks[state.Name] = max(s.peaks[state.Name], state.Peak)
		}
		for s.digits > 1 && ansi.StringWidth(big(p.number, s.digits)[0])+2+ansi.StringWidth(p.what) > inner {
			s.digits--
		}
		if p.says != "" && room >= roomForSays {
			s.says = max(s.says, min(len(wrap(p.says, inner)), 3))
		}
		below := len(p.facts)
		if p.found != nil {
			// The verdict is whole, where states and the number leave it the lines.
			needs := min(len(p.figures(inner))+len(p.verdict(inner)), room-roomForNumber)
			below = max(min(max(room/4, room-18, 3), 10), needs)
		} else if ansi.StringWidth(p.together()) <= inner {
			below = min(below, 1)
		}
		s.below = max(s.below, below)
	}
	return s
}

// draw fills width and height just so.
func (p *pane) draw(width, height int, s shape) []string {
	inner, room := width-4, height-2
	chart := 0
	if room >= 12 {
		chart = leastChart
	}
	lines := p.head(inner, s)
	if room >= 14 {
		lines = append(lines, p.picture)
	}
	lines = append(lines, p.states(inner, max(room-len(lines)-chart-s.below, 1), s.peaks)...)
	facts := p.lower(inner, max(min(room-len(lines)-chart, s.below), 0))
	if left := room - len(lines) - len(facts); left >= leastChart {
		if left > leastChart {
			lines, left = append(lines, ""), left-1
		}
		lines = append(lines, p.chart.draw(inner, left)...)
	}
	return p.frame(append(lines, facts...), width, height)
}

// leastChart is the least height of a chart, with its line of times.
const leastChart = 4

// head has the number, whose it is, and where it goes; below it what the side does.
func (p *pane) head(width int, s shape) []string {
	number := big(p.number, s.digits)
	beside := make([]string, len(number))
	said := append([]string{p.style.Bold().Styled(p.name)}, first(wrap(p.what, width-ansi.StringWidth(number[0])-2), len(number)-1)...)
	if len(said) < len(number) { // the chart shows it, too
		said = append(said, p.style.Bold().Styled(p.arrow+" sockets "+p.trend))
	}
	copy(beside[(len(number)-len(said))/2:], said)
	lines := make([]string, 0, len(number))
	for i, row := range number {
		lines = append(lines, pad(p.style.Styled(row)+"  "+beside[i], width))
	}
	says := make([]string, s.says)
	copy(says, first(wrap(p.says, width), s.says))
	return append(lines, says...)
}

const (
	// roomForSize is how many rows a pane has for each step of the digits' size, and
	// mostSize the largest.
	roomForSize = 14
	mostSize    = 3
	// roomForNumber is what the number and a state take at least.
	roomForNumber = 5
	// roomForSays is from how many rows on a pane says what its side does.
	roomForSays = 16
)

// states are the bars with their counts: those with the highest peaks of all panes, so that
// all have the same, if there is no room for all, in their order.
func (p *pane) states(width, room int, peaks map[string]int) []string {
	shown := p.chart.states
	hidden := 0
	if len(shown) > room {
		byPeak := slices.SortedStableFunc(slices.Values(shown), func(a, b render.State) int { return peaks[b.Name] - peaks[a.Name] })
		kept := byPeak[:max(room-1, 0)]
		shown = slices.DeleteFunc(slices.Clone(shown), func(s render.State) bool { return !slices.Contains(kept, s) })
		for _, s := range byPeak[len(kept):] {
			hidden += s.Now
		}
	}
	number := 0
	for _, s := range p.chart.states {
		number = max(number, len(fmt.Sprint(s.Now)))
	}
	const name = 11 // ESTABLISHED
	var lines []string
	for _, s := range shown {
		lines = append(lines, fmt.Sprintf("%s %-*s %s %*d", styleOf(s.Name).Styled(fillOf(s.Name)), name, s.Name,
			bar(s, p.chart.scale, max(width-name-4-number, 1)), number, s.Now))
	}
	if len(shown) < len(p.chart.states) {
		lines = append(lines, spread(fmt.Sprintf("  %d other states", len(p.chart.states)-len(shown)), fmt.Sprint(hidden), width))
	}
	return lines
}

// verdictLabel stands before a kind of verdict.
const verdictLabel = "verdict: "

// lower is what stands below the chart: as many facts as can be, and of what was
// found the sentences that have room as a whole. It takes all of its room, so that charts
// beside each other are of one height.
func (p *pane) lower(width, room int) []string {
	found, facts := p.verdict(width), p.figures(width)
	for i := range found {
		found[i] = p.style.Bold().Styled(found[i])
	}
	facts = facts[:max(min(len(facts), room-len(found)), 0)]
	lines := slices.Concat(facts, first(found, room-len(facts)))
	for i, sentence := range p.found {
		if part := wrap(sentence, width); i > 0 && len(lines)+len(part) <= room {
			lines = append(lines, part...)
		}
	}
	return append(lines, make([]string, room-len(lines))...)
}

// verdict is the heading of what was found, in lines.
func (p *pane) verdict(width int) []string {
	if len(p.found) == 0 {
		return nil
	}
	text := p.found[0]
	if !p.audience && len(verdictLabel+text) <= width {
		text = verdictLabel + text
	}
	return wrap(text, width)
}

// figures are the facts: in one line, if they fit.
func (p *pane) figures(width int) []string {
	if together := p.together(); together != "" && ansi.StringWidth(together) <= width {
		return []string{together}
	}
	return p.facts
}

// together is all facts in one line.
func (p *pane) together() string { return strings.Join(p.facts, " · ") }

// frame draws a frame around lines.
func (p *pane) frame(lines []string, width, height int) []string {
	framed := []string{p.style.Styled("╭" + strings.Repeat("─", width-2) + "╮")}
	side := p.style.Styled("│")
	for i := range height - 2 {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		framed = append(framed, side+" "+pad(line, width-4)+" "+side)
	}
	return append(framed, p.style.Styled("╰"+strings.Repeat("─", width-2)+"╯"))
}

// abreast sets panes side by side.
func abreast(panes [][]string) []string {
	lines := slices.Clone(panes[0])
	for _, pane := range panes[1:] {
		for i, line := range pane {
			lines[i] += line
		}
	}
	return lines
}

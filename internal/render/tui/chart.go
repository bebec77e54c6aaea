package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"socketlab/internal/render"
)

// fillOf is what bars and charts are filled with for a state: no two states have
// the same, so that they can be told apart without colour.
func fillOf(state string) string { return string(render.LookOf(state).Rune) }

// styleOf is the colour of a state.
func styleOf(state string) ansi.Style {
	return ansi.NewStyle().ForegroundColor(ansi.IndexedColor(render.LookOf(state).Terminal))
}

// solid is the fill that can be drawn for a part of a cell, too.
const solid = "█"

// eighth is the block that fills a part of a cell, from below.
func eighth(part float64) string {
	blocks := []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", solid}
	return blocks[min(max(int(part*8+0.5), 1), 8)-1]
}

// bar draws a count, at least a cell of what is there at all.
func bar(s render.State, scale, width int) string {
	n := 0
	if s.Now > 0 {
		n = min(max(s.Now*width/max(scale, 1), 1), width)
	}
	return styleOf(s.Name).Styled(strings.Repeat(fillOf(s.Name), n)) + strings.Repeat(" ", width-n)
}

// chart is sockets by state over time.
type chart struct {
	states   []render.State
	points   []render.Point
	from, to time.Duration
	scale    int
}

// draw stacks the states from below; the height includes the line of times.
func (c *chart) draw(width, height int) []string {
	label := len(fmt.Sprint(c.scale)) + 1
	columns, rows := width-label-2, height-1
	if columns < 1 || rows < 1 {
		return nil
	}
	half := c.scale / 2
	cells := c.cells(columns, rows)
	lines := make([]string, 0, height)
	for row := rows - 1; row >= 0; row-- {
		name := ""
		switch row {
		case rows - 1:
			name = fmt.Sprint(c.scale)
		case 0:
			name = "0"
		case half * rows / max(c.scale, 1): // in which it lies
			if rows > 2 && half > 0 {
				name = fmt.Sprint(half)
			}
		}
		lines = append(lines, fmt.Sprintf("%*s │", label, name)+coloured(cells[row]))
	}
	from, to := clock(c.from), clock(c.to)
	if columns <= len(from)+len(to) {
		to = ""
	}
	blank := max(columns-len(from)-len(to), 0)
	return append(lines, faint.Styled(pad(strings.Repeat(" ", label+2)+from+strings.Repeat(" ", blank)+to, width)))
}

// cell is a character of the chart, in the colour of its state.
type cell struct {
	text  string
	style *ansi.Style
}

// coloured writes cells, with one colour for all neighbours that share it.
func coloured(cells []cell) string {
	var text strings.Builder
	for i := 0; i < len(cells); {
		j, part := i, ""
		for ; j < len(cells) && cells[j].style == cells[i].style; j++ {
			part += cells[j].text
		}
		if cells[i].style != nil {
			part = cells[i].style.Styled(part)
		}
		text.WriteString(part)
		i = j
	}
	return text.String()
}

// cells draws each column, by the last sample of its time.
func (c *chart) cells(columns, rows int) [][]cell {
	all := make([][]cell, rows)
	for row := range all {
		all[row] = make([]cell, columns)
		for i := range all[row] {
			all[row][i].text = " "
		}
	}
	styles := make([]*ansi.Style, len(c.states))
	fills := make([]string, len(c.states))
	for i, s := range c.states {
		style := styleOf(s.Name)
		styles[i], fills[i] = &style, fillOf(s.Name)
	}
	next := 0
	var point *render.Point
	for column := range columns {
		end := c.from + time.Duration(float64(c.to-c.from)*float64(column+1)/float64(columns))
		for next < len(c.points) && (c.points[next].At <= end || column == columns-1) {
			point = &c.points[next]
			next++
		}
		if point == nil || (column > 0 && next == len(c.points) && c.start(column, columns) >= point.At) {
			continue // before the first sample, or after the last
		}
		for row := range rows {
			if state, text := c.at(point, row, rows, fills); state >= 0 {
				all[row][column] = cell{text, styles[state]}
			}
		}
	}
	return all
}

func (c *chart) start(column, columns int) time.Duration {
	return c.from + time.Duration(float64(c.to-c.from)*float64(column)/float64(columns))
}

// at is what a cell of a column shows: the state at the middle of what is there
// of it, and -1 where nothing is.
func (c *chart) at(p *render.Point, row, rows int, fills []string) (state int, text string) {
	cellHas := float64(c.scale) / float64(rows)
	low := float64(row) * cellHas
	part := min((float64(p.Total())-low)/cellHas, 1)
	if part <= 0 {
		return -1, " "
	}
	middle, sum := low+part*cellHas/2, 0.0
	for i, n := range p.Counts {
		if sum += float64(n); sum < middle {
			continue
		}
		switch {
		case fills[i] == solid:
			return i, eighth(part)
		case part < 0.5 && row > 0: // too little for its fill; but what is below it may be drawn
			return c.below(p, low, cellHas, fills)
		default:
			return i, fills[i]
		}
	}
	return -1, " "
}

// below draws the part of a cell that the lowest state takes.
func (c *chart) below(p *render.Point, low, cellHas float64, fills []string) (state int, text string) {
	part := (float64(p.Counts[0]) - low) / cellHas
	if fills[0] != solid || part <= 0 {
		return -1, " "
	}
	return 0, eighth(part)
}

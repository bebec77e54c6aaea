package html

import (
	"fmt"

	"socketlab/internal/render"
	"socketlab/internal/render/markup"
)

// The places of a sequence diagram, in pixels.
const (
	sequenceWidth = 1600
	stepHeight    = 25
	timeRight     = 100 // the end of a time
	leftLine      = 250 // the middle of the left end's bar
	rightLine     = 640
	textLeft      = 800
	barWidth      = 10
	sequenceText  = 14
)

// sequenceHeight is the height of the drawing.
func sequenceHeight(s *render.Sequence) int { return stepHeight * (len(s.Steps) + 2) }

// drawSequence draws a sequence diagram from y on. The bar of an end is filled as its
// state is.
func drawSequence(m *markup.Writer, s *render.Sequence, y float64) {
	y += stepHeight / 2
	write(m, timeRight, y, sequenceText, "faint", faint, "ms", "text-anchor", "end")
	write(m, leftLine, y, sequenceText, "ink", ink, s.Left, "text-anchor", "middle", "font-weight", "bold")
	write(m, rightLine, y, sequenceText, "ink", ink, s.Right, "text-anchor", "middle", "font-weight", "bold")
	before := render.Step{}
	for i, step := range s.Steps {
		at := y + float64(i+1)*stepHeight
		bar := func(x float64, state string) {
			switch {
			case state == "":
			case render.LookOf(state).Light == "": // LISTEN is no connection
				m.Empty("path", "class", "grid", "d", fmt.Sprintf("M%s %sv%d", num(x), num(at-stepHeight/2), stepHeight), "stroke", gridline, "stroke-width", "3")
			default:
				swatch(m, state, x-barWidth/2, at-stepHeight/2, barWidth, stepHeight)
			}
		}
		bar(leftLine, step.Left)
		bar(rightLine, step.Right)
		write(m, timeRight, at+5, sequenceText, "faint", faint, step.Time, "text-anchor", "end")
		if step.Left != before.Left {
			write(m, leftLine-barWidth-4, at+5, sequenceText, "ink", ink, stateName(step.Left), "text-anchor", "end", "font-weight", "bold")
		}
		if step.Right != before.Right {
			write(m, rightLine+barWidth+4, at+5, sequenceText, "ink", ink, stateName(step.Right), "font-weight", "bold")
		}
		drawStep(m, step, at)
		write(m, textLeft, at+5, sequenceText, "ink", ink, step.Text)
		m.Line()
		before = step
	}
}

// stateName returns the text where a state begins; "gone" for an end without a socket.
func stateName(state string) string {
	if state == "" {
		return "gone"
	}
	return state
}

// drawStep draws what is between the two bars.
func drawStep(m *markup.Writer, step render.Step, at float64) {
	const gap = barWidth/2 + 4
	x, anchor := float64(leftLine+gap), "start"
	switch step.Position {
	case render.AtRight:
		x, anchor = rightLine-gap, "end"
	case render.Between:
		x, anchor = (leftLine+rightLine)/2, "middle"
	default: // at the left
	}
	if !step.Arrow {
		write(m, x, at+5, sequenceText, "ink", ink, step.Label, "text-anchor", anchor)
		return
	}
	write(m, x, at, sequenceText-1, "ink", ink, step.Label, "text-anchor", anchor, "font-weight", "bold")
	from, to, back := float64(leftLine+gap), float64(rightLine-gap), -6.0
	if step.Position == render.AtRight {
		from, to, back = to, from, -back
	}
	y := at + 6
	tip := fmt.Sprintf("m%s -4l%s 4l%s 4", num(back), num(-back), num(back))
	if step.Lost {
		to = (from + to) / 2
		tip = "m-5 -5l10 10m-10 0l10 -10"
	}
	m.Empty("path", "class", "top", "d", fmt.Sprintf("M%s %sH%s%s", num(from), num(y), num(to), tip), "fill", "none", "stroke", ink, "stroke-width", "1.4")
}

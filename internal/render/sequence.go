package render

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The columns of a sequence diagram in text.
const (
	timeWidth  = 10
	stateWidth = 11 // ESTABLISHED
	labelWidth = 43
	// SequenceWidth is the width of a line.
	SequenceWidth = timeWidth + 2 + stateWidth + 1 + labelWidth + 1 + stateWidth
)

// Head is the line above the steps.
func (s Sequence) Head() string {
	return s.line("ms", s.Left, strings.Repeat(" ", labelWidth), s.Right)
}

// Line draws a step in at most [SequenceWidth] columns. A state that goes on from the
// step before is a vertical line.
func (s Sequence) Line(i int) string {
	step := s.Steps[i]
	left, right := step.Left, step.Right
	if i > 0 {
		left, right = goesOn(s.Steps[i-1].Left, left), goesOn(s.Steps[i-1].Right, right)
	}
	return s.line(step.Time, left, step.middle(), right)
}

func goesOn(before, now string) string {
	switch {
	case before == now && now != "":
		return "│"
	case before != "" && now == "":
		return "(gone)"
	}
	return now
}

func (Sequence) line(time, left, middle, right string) string {
	return strings.TrimRight(padLeft(time, timeWidth)+"  "+padLeft(left, stateWidth)+" "+middle+" "+right, " ")
}

// middle draws what is between the two states.
func (s Step) middle() string {
	label := ansi.Truncate(s.Label, labelWidth-4, "…")
	room := labelWidth - ansi.StringWidth(label)
	dashes := func(n int) string { return strings.Repeat("─", n) }
	switch {
	case s.Arrow && s.Position == AtLeft && s.Lost:
		return label + " " + dashes(room/2-2) + "✗" + strings.Repeat(" ", room-room/2)
	case s.Arrow && s.Position == AtLeft:
		return label + " " + dashes(room-2) + ">"
	case s.Arrow && s.Lost:
		return strings.Repeat(" ", room-room/2) + "✗" + dashes(room/2-2) + " " + label
	case s.Arrow:
		return "<" + dashes(room-2) + " " + label
	case s.Position == AtRight:
		return strings.Repeat(" ", room) + label
	case s.Position == Between:
		return strings.Repeat(" ", room/2) + label + strings.Repeat(" ", room-room/2)
	}
	return label + strings.Repeat(" ", room)
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

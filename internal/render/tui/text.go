package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Colours are of the 256, which bubbletea takes down to what the terminal has.
// They only help: whatever they tell is also told by a word, a letter or a fill.
var (
	bold   = ansi.NewStyle().Bold()
	faint  = ansi.NewStyle().Faint()
	faulty = ansi.NewStyle().ForegroundColor(ansi.IndexedColor(209))
	fixed  = ansi.NewStyle().ForegroundColor(ansi.IndexedColor(81))
	plain  = ansi.NewStyle()
)

// pad makes a text just as wide as told: with blanks, or cut off with "…".
func pad(text string, width int) string {
	if width <= 0 {
		return ""
	}
	has := ansi.StringWidth(text)
	if has > width {
		text = ansi.Truncate(text, width, "…")
		has = ansi.StringWidth(text)
	}
	return text + strings.Repeat(" ", max(width-has, 0))
}

// spread writes one text at the left and one at the right of a line.
func spread(left, right string, width int) string {
	room := width - ansi.StringWidth(right) - 1
	if room < 1 {
		return pad(left, width)
	}
	return pad(left, room) + " " + right
}

// wrap breaks plain text into lines at blanks, and words that are too long.
func wrap(text string, width int) []string {
	return strings.Split(ansi.Wrap(strings.ReplaceAll(text, "\t", "    "), max(width, 1), ""), "\n")
}

// first keeps so many lines, and shows where some were left out.
func first(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	if n <= 0 {
		return nil
	}
	return append(lines[:n-1:n-1], strings.TrimRight(lines[n-1], " .…")+" …")
}

// whole keeps as many of a text's sentences as have room in n lines, and of one that is
// longer what has.
func whole(text string, width, n int) []string {
	for kept := text; ; {
		if lines := wrap(kept, width); len(lines) <= n {
			return lines
		}
		i := strings.LastIndex(kept[:len(kept)-1], ". ")
		if i < 0 {
			return first(wrap(kept, width), n)
		}
		kept = kept[:i+1]
	}
}

// clock writes a time in a run: minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// glyphs are digits of three rows.
var glyphs = [10][3]string{
	{"█▀█", "█ █", "▀▀▀"},
	{"▀█ ", " █ ", "▀▀▀"},
	{"▀▀█", "█▀▀", "▀▀▀"},
	{"▀▀█", " ▀█", "▀▀▀"},
	{"█ █", "▀▀█", "  ▀"},
	{"█▀▀", "▀▀█", "▀▀▀"},
	{"█▀▀", "█▀█", "▀▀▀"},
	{"▀▀█", "  █", "  ▀"},
	{"█▀█", "█▀█", "▀▀▀"},
	{"█▀█", "▀▀█", "▀▀▀"},
}

// big writes a number in digits of three rows for each step of size, from 1 on. What
// is no digit and no point is a dash.
func big(number string, size int) []string {
	rows := make([]string, 3*size)
	for i, char := range number {
		glyph := [3]string{" ", " ", "▄"} // a point
		switch {
		case char >= '0' && char <= '9':
			glyph = glyphs[char-'0']
		case char != '.':
			glyph = [3]string{"   ", "▀▀▀", "   "}
		}
		for row := range rows {
			if i > 0 {
				rows[row] += strings.Repeat(" ", size)
			}
			for _, cell := range glyph[row/size] {
				rows[row] += strings.Repeat(part(cell, row%size, size), size)
			}
		}
	}
	return rows
}

// part is what one row of an enlarged cell shows: the cell is half a block or a whole
// one, and is size rows high.
func part(cell rune, row, size int) string {
	upper, lower := cell == '▀' || cell == '█', cell == '▄' || cell == '█'
	// Each row has two halves; the first size halves are the cell's upper one.
	top, bottom := lower, lower
	if 2*row < size {
		top = upper
	}
	if 2*row+1 < size {
		bottom = upper
	}
	switch {
	case top && bottom:
		return "█"
	case top:
		return "▀"
	case bottom:
		return "▄"
	default:
		return " "
	}
}

package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Error is one fault in a script and its place.
type Error struct {
	File string
	// Line and Column count from 1; both are 0 where the fault has no place,
	// as with a file that cannot be read.
	Line, Column int
	Message      string
	// Text is the offending line.
	Text string
}

// Error returns the fault the way compilers print one, with the line shown:
//
//	my.yaml:7:10: duration "20" has no unit: write it like 20s or 20ms
//	  7 |   delay: 20
//	    |          ^
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	place := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Text == "" {
		return place
	}
	number := strconv.Itoa(e.Line)
	margin := strings.Repeat(" ", len(number))
	text, before := window(e.Text, max(e.Column-1, 0))
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s^", place, number, text, margin, strings.Repeat(" ", before))
}

// window returns what a terminal can show of a line around the character with
// before others before it, and how many are before it in that part.
func window(line string, before int) (string, int) {
	const width, context = 120, 60
	runes := []rune(line)
	for i, r := range runes {
		if unicode.IsControl(r) {
			runes[i] = ' ' // a tab, above all: the caret would not be below its place
		}
	}
	if start := min(before, len(runes)) - context; start > 0 && len(runes) > width {
		runes = append([]rune{'…'}, runes[start:]...)
		before -= start - 1
	}
	if len(runes) > width {
		runes = append(runes[:width:width], '…')
	}
	return string(runes), before
}

// short keeps a value that a message repeats to what a line can hold.
func short(value string) string {
	const most = 40
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return value
}

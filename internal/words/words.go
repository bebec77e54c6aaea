// Package words writes numbers, times and lists the way every sentence of the lab
// has them.
package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Plural writes a number and what is counted: "1 socket", "2 sockets",
// "2 processes". many is the plural where it is not one with s.
func Plural[N int | int32 | int64](n N, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return Count(n) + " " + many[0]
	default:
		return Count(n) + " " + one + "s"
	}
}

// Count writes a number with a comma between thousands from 10,000 on.
func Count[N int | int32 | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	if n < 10_000 && n > -10_000 {
		return digits
	}
	var out strings.Builder
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}

// Number writes a number with at most one digit after the point, and none where it
// says nothing.
func Number(n float64) string {
	if math.Abs(n) >= 10 || n == math.Trunc(n) {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.1f", n)
}

// Rate writes a rate in the unit that people count in: "3.2 per second",
// "5 per minute".
func Rate(perSecond float64) string {
	for _, unit := range []struct {
		name    string
		seconds float64
	}{{"second", 1}, {"minute", 60}} {
		if n := math.Abs(perSecond) * unit.seconds; n >= 1 {
			return Number(perSecond*unit.seconds) + " per " + unit.name
		}
	}
	return Number(perSecond*3600) + " per hour"
}

// Duration writes a time with as many digits as a reader uses.
func Duration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// Printable replaces what could change a terminal or mislead a reader: control
// characters but for line ends and tabs, and marks that turn the direction of text.
// What comes from outside is written through it.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

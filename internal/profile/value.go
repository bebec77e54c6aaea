package profile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is what the values of a question are.
type Unit string

// The units. A Choice is one word of the question's Choices; Text is any words.
const (
	Count    Unit = "count"
	Duration Unit = "duration"
	Choice   Unit = "choice"
	Text     Unit = "text"
)

// Bound says what the time of a duration's value means.
type Bound int

// The bounds: it took Time; it had not happened after Time, when the measurement ended;
// or it is switched off and never happens.
const (
	Exact Bound = iota
	Over
	Never
)

// Value is the answer to a question. It has the field of its unit; the others are zero.
type Value struct {
	Unit Unit
	// Number is that of a count.
	Number int
	// Time is that of a duration, with Bound.
	Time  time.Duration
	Bound Bound
	// Word is a choice or a text.
	Word string
}

// atOnce is below what the battery tells from no time at all.
const atOnce = 100 * time.Millisecond

// Counted is the value of a count.
func Counted(n int) Value { return Value{Unit: Count, Number: n} }

// Took is the value of a duration, rounded to 0.1 s, from 10 minutes on to 1 s. Less than
// 0.1 s is "at once".
func Took(d time.Duration) Value {
	switch {
	case d < atOnce:
		d = 0
	case d < 10*time.Minute:
		d = d.Round(atOnce)
	default:
		d = d.Round(time.Second)
	}
	return Value{Unit: Duration, Time: d}
}

// LongerThan is a duration that had not ended when it was waited no longer.
func LongerThan(d time.Duration) Value { return Value{Unit: Duration, Time: d, Bound: Over} }

// IsNever is a duration that is switched off.
func IsNever() Value { return Value{Unit: Duration, Bound: Never} }

// Chosen is the value of a choice, with all of its steps.
func Chosen(steps ...string) Value { return Value{Unit: Choice, Word: strings.Join(steps, ", ")} }

// Words is the value of a text.
func Words(text string) Value { return Value{Unit: Text, Word: text} }

// String writes a value as it stands in a file: 20, 5.0s, > 65s, at once, never, or the
// word.
func (v Value) String() string {
	switch v.Unit {
	case Count:
		return strconv.Itoa(v.Number)
	case Duration:
		switch {
		case v.Bound == Never:
			return "never"
		case v.Bound == Over:
			return "> " + seconds(v.Time)
		case v.Time == 0:
			return "at once"
		case v.Time >= 10*time.Minute:
			return seconds(v.Time)
		}
		return strconv.FormatFloat(v.Time.Seconds(), 'f', 1, 64) + "s"
	default:
		return v.Word
	}
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
}

// plain is the value for a file, where a count is a number.
func (v Value) plain() any {
	if v.Unit == Count {
		return v.Number
	}
	return v.String()
}

// longest bounds a duration, so that sums of them are times, too.
const longest = 10 * 365 * 24 * time.Hour

// parse reads a value of a unit as String writes it.
func (u Unit) parse(text string) (Value, error) {
	switch u {
	case Count:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return Value{}, fmt.Errorf("%q is no count", text)
		}
		return Counted(n), nil
	case Duration:
		switch text {
		case "at once":
			return Took(0), nil
		case "never":
			return IsNever(), nil
		}
		number, over := strings.CutPrefix(text, "> ")
		d, err := time.ParseDuration(number)
		switch {
		case err != nil || d < 0:
			return Value{}, fmt.Errorf("%q is no duration: write it like 5.0s, > 65s, at once or never", text)
		case d > longest:
			return Value{}, fmt.Errorf("%q is too long: the limit is 10 years", text)
		case over:
			return LongerThan(d), nil
		}
		return Took(d), nil
	default:
		return Value{Unit: u, Word: text}, nil
	}
}

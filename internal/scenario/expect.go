package scenario

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"socketlab/internal/metric"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict/kind"
)

// Expectation is one thing that a side must show: a metric (see internal/metric),
// a comparison, and a number, a duration (for times, in the script's time) or
// another metric of the same side, or of the side before its name:
//
//	client.final.ESTABLISHED >= 100
//	latency_ms.p99 <= 22s
//	connections.opened == requests.sent
//	latency_ms.p99 > fixed.latency_ms.p99
//
// What a side is found to be is written in either form; fault stands for every
// verdict that has a severity:
//
//	verdict: idle-connections-not-reused
//	verdict != healthy
//
// One that holds for some versions of Go only has them beside it:
//
//	{verdict: connection-churn, go: "< 1.27"}
//	{metric: connections.opened <= 10, go: ">= 1.27"}
type Expectation struct {
	text   string
	Metric string
	Op     string
	// Other is the metric on the right-hand side, or "" for a number.
	Other string
	// OtherSide is the side that Other is of, or "" for that of Metric.
	OtherSide Side
	// Value is the number on the right-hand side, in the metric's unit.
	Value float64
	unit  metric.Unit
	// Kind is the kind of verdict on the right-hand side, where Metric is
	// [VerdictMetric]; or [AnyFault].
	Kind kind.Kind
	// Go is the versions of Go, of the client, that it holds for; "" is all.
	Go GoRange
}

// VerdictMetric is the metric of what a side was found to be, and AnyFault stands
// there for every verdict that has a severity.
const (
	VerdictMetric = "verdict"
	AnyFault      = kind.Kind("fault")
)

// HoldsFor reports whether a verdict is what the expectation says: one of a kind, which
// has a severity or not.
func (e Expectation) HoldsFor(of kind.Kind, severity bool) bool {
	is := of == e.Kind || (e.Kind == AnyFault && severity)
	return is == (e.Op == "==")
}

// verdictWords are what a verdict is compared with.
func verdictWords() []string {
	words := []string{string(AnyFault)}
	for _, k := range kind.All() {
		words = append(words, string(k))
	}
	return words
}

// ExpectVerdict is the expectation verdict: KIND.
func ExpectVerdict(of kind.Kind) Expectation {
	text := fmt.Sprintf("%s == %s", VerdictMetric, of)
	return Expectation{text: text, Metric: VerdictMetric, Op: "==", Kind: of}
}

func parseVerdict(op, of string) (Expectation, error) {
	e := Expectation{text: strings.Join([]string{VerdictMetric, op, of}, " "), Metric: VerdictMetric, Op: op, Kind: kind.Kind(of)}
	switch {
	case op != "==" && op != "!=":
		return Expectation{}, fmt.Errorf("a verdict is == or != a kind, not %s", op)
	case !slices.Contains(verdictWords(), of):
		return Expectation{}, fmt.Errorf("unknown verdict %q: use one of %s", short(of), strings.Join(verdictWords(), ", "))
	}
	return e, nil
}

// String returns the expectation as it was written.
func (e Expectation) String() string { return e.text }

func (Expectation) form() string { return "a line such as connections.opened <= 2, or verdict: KIND" }

// MarshalText writes the expectation as a script has it.
func (e Expectation) MarshalText() ([]byte, error) { return []byte(e.text), nil }

// UnmarshalText reads one expectation.
func (e *Expectation) UnmarshalText(text []byte) error {
	parsed, err := ParseExpectation(string(text))
	if err == nil {
		*e = parsed
	}
	return err
}

// Holds reports whether got stands in the expected relation to want.
func (e Expectation) Holds(got, want float64) bool {
	switch e.Op {
	case "==":
		return got == want
	case "!=":
		return got != want
	case "<":
		return got < want
	case "<=":
		return got <= want
	case ">":
		return got > want
	default:
		return got >= want
	}
}

// States lists the socket states that the expectation speaks of.
func (e Expectation) States() []socketstats.State {
	var states []socketstats.State
	for _, name := range []string{e.Metric, e.Other} {
		if s, err := socketstats.ParseState(name[strings.LastIndexByte(name, '.')+1:]); err == nil {
			states = append(states, s)
		}
	}
	return states
}

// atSpeed scales what is compared with a number: times are divided by the speed,
// and rates multiplied.
func (e Expectation) atSpeed(speed float64) Expectation {
	if e.Other != "" || speed == 1 {
		return e
	}
	switch e.unit {
	case metric.Milliseconds:
		e.Value /= speed
		e.text = fmt.Sprintf("%s %s %s", e.Metric, e.Op, time.Duration(e.Value*float64(time.Millisecond)))
	case metric.PerSecond:
		e.Value *= speed
		e.text = fmt.Sprintf("%s %s %g", e.Metric, e.Op, e.Value)
	default: // a count or an amount, at any speed
	}
	return e
}

var ops = []string{"==", "!=", "<=", ">=", "<", ">"}

// ParseExpectation reads one expectation.
func ParseExpectation(text string) (Expectation, error) {
	words := strings.Fields(text)
	if len(words) != 3 || !slices.Contains(ops, words[1]) {
		return Expectation{}, fmt.Errorf("%q is not an expectation: write METRIC OP VALUE, with OP one of %s",
			short(text), strings.Join(ops, " "))
	}
	if words[0] == VerdictMetric {
		return parseVerdict(words[1], words[2])
	}
	e := Expectation{text: strings.Join(words, " "), Metric: words[0], Op: words[1]}
	left, err := metric.Lookup(e.Metric)
	if err != nil && !strings.Contains(e.Metric, ".") {
		err = fmt.Errorf("%w; or write %s, as in: %[2]s != healthy", err, VerdictMetric)
	}
	if err != nil {
		return Expectation{}, err
	}
	e.unit = left.Unit
	timed, right := e.unit == metric.Milliseconds, words[2]
	if n, err := strconv.ParseFloat(right, 64); err == nil {
		switch {
		case timed:
			return Expectation{}, fmt.Errorf("%s is compared with a duration, such as 20s, so that it follows --speed", e.Metric)
		case !(n >= 0 && n <= math.MaxFloat64): // also refuses NaN
			return Expectation{}, fmt.Errorf("%s can never be %s", e.Metric, right)
		}
		e.Value = n
		return e, nil
	}
	if d, err := time.ParseDuration(right); err == nil {
		switch {
		case !timed:
			return Expectation{}, fmt.Errorf("%s is not a time: compare it with a number", e.Metric)
		case d < 0:
			return Expectation{}, fmt.Errorf("%s can never be %s", e.Metric, right)
		}
		e.Value = float64(d) / float64(time.Millisecond)
		return e, nil
	}
	if !strings.ContainsAny(right, "._") {
		return Expectation{}, fmt.Errorf("%q is not a number, a duration or a metric", short(right))
	}
	e.Other = right
	for _, side := range Sides() {
		if name, ok := strings.CutPrefix(right, string(side)+"."); ok {
			e.Other, e.OtherSide = name, side
		}
	}
	other, err := metric.Lookup(e.Other)
	switch {
	case err != nil:
		return Expectation{}, err
	case other.Unit != e.unit:
		return Expectation{}, fmt.Errorf("%s (%s) and %s (%s) cannot be compared", e.Metric, e.unit, e.Other, other.Unit)
	}
	return e, nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (e *Expectation) UnmarshalYAML(node ast.Node) error {
	text, goRange, ok := expectationText(node)
	if !ok {
		return fault(node, "this is not %s", e.form())
	}
	parsed, err := ParseExpectation(text)
	at := node
	if m, isMap := node.(*ast.MappingNode); isMap {
		at = m.Values[0].Value
	}
	if err == nil && goRange != nil {
		if err := parsed.Go.UnmarshalYAML(goRange); err != nil {
			return err
		}
	}
	if err != nil {
		return fault(at, "%s", err)
	}
	*e = parsed
	return nil
}

// The keys of an expectation that is not one line.
const (
	metricKey = "metric"
	goKey     = "go"
)

// expectationText is what an expectation says, in one line however it is
// written, and the versions of Go that it has beside it; nil if it has none.
func expectationText(node ast.Node) (text string, goRange ast.Node, ok bool) {
	if text, ok := scalar(node); ok {
		return text, nil, true
	}
	m, ok := node.(*ast.MappingNode)
	if !ok || len(m.Values) == 0 || len(m.Values) > 2 {
		return "", nil, false
	}
	if len(m.Values) == 2 {
		if m.Values[1].Key.GetToken().Value != goKey {
			return "", nil, false
		}
		goRange = m.Values[1].Value
	}
	text, _ = scalar(m.Values[0].Value)
	switch m.Values[0].Key.GetToken().Value {
	case VerdictMetric:
		return VerdictMetric + " == " + text, goRange, true
	case metricKey:
		return text, goRange, goRange != nil
	}
	return "", nil, false
}

// ofKernel reports whether the expectation speaks of the kernel's counters.
func (e Expectation) ofKernel() bool {
	return strings.HasPrefix(e.Metric, metric.KernelPrefix) || strings.HasPrefix(e.Other, metric.KernelPrefix)
}

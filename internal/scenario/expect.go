package scenario

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Expectation is one thing that a side must show: a metric of the run, a
// comparison, and a number, a duration (for latencies, in the script's time)
// or another metric of the same side:
//
//	client.final.ESTABLISHED >= 100
//	latency_ms.p99 <= 22s
//	connections.opened == requests.sent
//
// The metrics are the names in the JSON of a run. What a side is found to be is
// written in either form; leak stands for every kind that is one:
//
//	verdict: idle-connections-not-reused
//	verdict != healthy
type Expectation struct {
	text   string
	Metric string
	Op     string
	// Other is the metric on the right-hand side, or "" for a number.
	Other string
	// Value is the number on the right-hand side; milliseconds if it was
	// written as a duration.
	Value float64
	timed bool
	// Kind is the kind of verdict on the right-hand side, where Metric is
	// [VerdictMetric]; or [AnyLeak].
	Kind verdict.Kind
}

// VerdictMetric is the metric of what a side was found to be, and AnyLeak stands
// there for every kind that is a leak.
const (
	VerdictMetric = "verdict"
	AnyLeak       = verdict.Kind("leak")
)

// HoldsFor reports whether a verdict is what the expectation says.
func (e Expectation) HoldsFor(v verdict.Verdict) bool {
	is := v.Kind == e.Kind || (e.Kind == AnyLeak && v.Leak)
	return is == (e.Op == "==")
}

// verdictWords are what a verdict is compared with.
func verdictWords() []string {
	words := []string{string(AnyLeak)}
	for _, k := range verdict.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// ExpectVerdict is the expectation verdict: KIND.
func ExpectVerdict(kind verdict.Kind) Expectation {
	text := fmt.Sprintf("%s == %s", VerdictMetric, kind)
	return Expectation{text: text, Metric: VerdictMetric, Op: "==", Kind: kind}
}

func parseVerdict(op, kind string) (Expectation, error) {
	e := Expectation{text: strings.Join([]string{VerdictMetric, op, kind}, " "), Metric: VerdictMetric, Op: op, Kind: verdict.Kind(kind)}
	switch {
	case op != "==" && op != "!=":
		return Expectation{}, fmt.Errorf("a verdict is == or != a kind, not %s", op)
	case !slices.Contains(verdictWords(), kind):
		return Expectation{}, fmt.Errorf("unknown verdict %q: use one of %s", short(kind), strings.Join(verdictWords(), ", "))
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
	for _, metric := range []string{e.Metric, e.Other} {
		if s, err := socketstats.ParseState(metric[strings.LastIndexByte(metric, '.')+1:]); err == nil {
			states = append(states, s)
		}
	}
	return states
}

func (e Expectation) atSpeed(speed float64) Expectation {
	if e.timed {
		e.Value /= speed
		e.text = fmt.Sprintf("%s %s %s", e.Metric, e.Op, time.Duration(e.Value*float64(time.Millisecond)))
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
	if err := checkMetric(e.Metric); err != nil {
		return Expectation{}, err
	}
	timed, right := IsTime(e.Metric), words[2]
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
		e.Value, e.timed = float64(d)/float64(time.Millisecond), true
		return e, nil
	}
	if !strings.Contains(right, ".") {
		return Expectation{}, fmt.Errorf("%q is not a number, a duration or a metric", short(right))
	}
	e.Other = right
	if err := checkMetric(e.Other); err != nil {
		return Expectation{}, err
	}
	if timed != IsTime(e.Other) {
		return Expectation{}, fmt.Errorf("%s and %s cannot be compared: only one of them is a time", e.Metric, e.Other)
	}
	return e, nil
}

// IsTime reports whether a metric is a time, in milliseconds.
func IsTime(metric string) bool {
	return strings.HasPrefix(metric, "latency_ms.") || metric == "max_age_ms"
}

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (e *Expectation) UnmarshalYAML(node ast.Node) error {
	text, ok := expectationText(node)
	if !ok {
		return fault(node, "this is not %s", e.form())
	}
	parsed, err := ParseExpectation(text)
	if err != nil {
		if m, ok := node.(*ast.MappingNode); ok {
			node = m.Values[0].Value // verdict: KIND
		}
		return fault(node, "%s", err)
	}
	*e = parsed
	return nil
}

// expectationText is what an expectation says, in one line however it is
// written.
func expectationText(node ast.Node) (string, bool) {
	if text, ok := scalar(node); ok {
		return text, true
	}
	m, ok := node.(*ast.MappingNode)
	if !ok || len(m.Values) != 1 || m.Values[0].Key.GetToken().Value != VerdictMetric {
		return "", false
	}
	kind, ok := scalar(m.Values[0].Value)
	return VerdictMetric + " == " + kind, ok
}

// kernelPrefix begins the name of a counter of the kernel (socketstats.Counters),
// which only a run in a namespace of its own has.
const kernelPrefix = "kernel."

// serversPrefix begins the name of what one of several servers did.
const serversPrefix = "servers."

// ofKernel reports whether the expectation speaks of the kernel's counters.
func (e Expectation) ofKernel() bool {
	return strings.HasPrefix(e.Metric, kernelPrefix) || strings.HasPrefix(e.Other, kernelPrefix)
}

// metrics are the names a side's figures have in the JSON of a run, but for
// the open-ended ones: socket states and errors.
var metrics = []string{
	"requests.sent", "requests.ok", "requests.failed", "requests.in_flight", "requests.attempts",
	"connections.opened", "connections.reused", "connections.failed", "connections.stale_reuse",
	"max_age_ms",
	"process.fds_peak", "process.goroutines_peak", "process.rss_peak_bytes", "process.gc_cycles",
	"latency_ms.p50", "latency_ms.p99", "latency_ms.max",
}

// Metrics lists the names of a side's figures in the JSON of a run, but for
// socket states and errors.
func Metrics() []string { return slices.Clone(metrics) }

func checkMetric(name string) error {
	if slices.Contains(metrics, name) {
		return nil
	}
	if rest, ok := strings.CutPrefix(name, "requests.errors."); ok && rest != "" {
		return nil
	}
	if counter, ok := strings.CutPrefix(name, kernelPrefix); ok {
		if !socketstats.IsCounter(counter) {
			return fmt.Errorf("%s: the kernel has no counter %q that is read", name, short(counter))
		}
		return nil
	}
	for _, prefix := range []string{"client.peak.", "client.final.", "server.peak.", "server.final."} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if _, err := socketstats.ParseState(rest); err != nil && rest != "total" {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if rest, ok := strings.CutPrefix(name, serversPrefix); ok {
		server, figure, _ := strings.Cut(rest, ".")
		if !idForm.MatchString(server) || (figure != "requests" && figure != "connections") {
			return fmt.Errorf("%s: write servers.NAME.requests or servers.NAME.connections", name)
		}
		return nil
	}
	return unknownMetric(name)
}

// unknownMetric names what may have been meant: the metrics with the same
// first word, or the first words.
func unknownMetric(name string) error {
	names := append(Metrics(), "requests.errors.NAME", "servers.NAME.requests", "servers.NAME.connections",
		"client.peak.STATE", "client.peak.total", "client.final.STATE", "client.final.total",
		"server.peak.STATE", "server.peak.total", "server.final.STATE", "server.final.total",
		kernelPrefix+"COUNTER", VerdictMetric)
	first, _, _ := strings.Cut(name, ".")
	var family, words []string
	for _, n := range names {
		word, _, _ := strings.Cut(n, ".")
		if word == first {
			family = append(family, n)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(family) > 0 {
		return fmt.Errorf("unknown metric %q: use one of %s", short(name), strings.Join(family, ", "))
	}
	return fmt.Errorf("unknown metric %q: a metric begins with one of %s", short(name), strings.Join(words, ", "))
}

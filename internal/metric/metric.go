// Package metric is the one table of what can be said of a subject in numbers. A
// script's expectations, tables, JSON, CSV, headlines and the page read it, so
// that a figure has the same name, unit and value everywhere.
package metric

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// Unit is what a metric is measured in.
type Unit string

// The units. Names of metrics end with those that are no plain counts, where the
// name does not say it already.
const (
	Count        Unit = "count"
	Milliseconds Unit = "ms"
	Bytes        Unit = "bytes"
	PerSecond    Unit = "per_second"
)

// Metric is one figure of a subject.
type Metric struct {
	// Name is what scripts, JSON and CSV call it: words joined by points.
	Name string
	// Title is what tables call it.
	Title string
	Unit  Unit
	// Meaning is one sentence, and Why says in a few words why a reader of a report
	// should look at it; "" where nothing is to be said.
	Meaning, Why string
	// Rare says that tables leave the metric out while it is 0 for every subject, and
	// Detail that they leave it out where there is little room.
	Rare, Detail bool
	// Noun and Rest make a phrase of a count: "2 connections opened" has the noun
	// "connection" and the rest "opened". They are "" where a phrase would say
	// nothing.
	Noun, Rest string
	// Prometheus is the name of its series, "" where it is not exported, and the series'
	// labels: "socketlab_connections_closed_total end how=reused". See [Metric.Series].
	Prometheus string
	// Get returns the value of a subject at the end of what was seen of it, and
	// false if it is not known.
	Get func(*series.Subject) (float64, bool)
}

// Format writes a value of the metric the way every table, sentence and
// expectation shows it.
func (m Metric) Format(v float64) string {
	switch {
	case m.Unit == Milliseconds:
		d := time.Duration(v * float64(time.Millisecond))
		switch {
		case d >= 10*time.Second:
			return d.Round(100 * time.Millisecond).String()
		case d >= 100*time.Millisecond:
			return d.Round(time.Millisecond).String()
		}
		return d.Round(10 * time.Microsecond).String()
	case m.Unit == Bytes:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case m.Unit == PerSecond:
		return series.Growth(v).String()
	case v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// Shown is a value as a chart has it: bytes in MiB, all else as it is.
func (m Metric) Shown(v float64) float64 {
	if m.Unit == Bytes {
		return v / (1 << 20)
	}
	return v
}

// Phrase writes a count in words: "2 connections opened". Of a metric without a
// noun it is its title and its value.
func (m Metric) Phrase(v float64) string {
	if m.Noun == "" {
		return m.Title + " " + m.Format(v)
	}
	return strings.TrimSpace(words.Plural(int64(v), m.Noun) + " " + m.Rest)
}

// Value is a metric with what it is of a subject.
type Value struct {
	Metric
	Value float64
}

// Of lists every metric that is known of a subject, those of families (states,
// errors, servers, counters) that are not 0 included, in the order of the table.
func Of(s *series.Subject) []Value {
	var list []Value
	for _, m := range table {
		if v, ok := m.Get(s); ok {
			list = append(list, Value{m, v})
		}
	}
	for _, f := range families() {
		for _, name := range f.members(s) {
			if m, err := f.lookup(name); err == nil {
				if v, ok := m.Get(s); ok {
					list = append(list, Value{m, v})
				}
			}
		}
	}
	return list
}

// All lists the metrics that every subject may have, without those of families.
func All() []Metric { return slices.Clone(table) }

// Forms lists the names that scripts may use, those of families with a word in
// capitals in place of what differs.
func Forms() []string {
	var names []string
	for _, m := range table {
		names = append(names, m.Name)
	}
	for _, f := range families() {
		names = append(names, f.forms...)
	}
	return names
}

// Lookup returns the metric with a name, also of a family, such as
// client.final.ESTABLISHED. The error says which names there are.
func Lookup(name string) (Metric, error) {
	if i := slices.IndexFunc(table, func(m Metric) bool { return m.Name == name }); i >= 0 {
		return table[i], nil
	}
	for _, f := range families() {
		if strings.HasPrefix(name, f.prefix) {
			return f.lookup(name)
		}
	}
	return Metric{}, unknown(name)
}

// MustLookup is [Lookup] of a name that is in this program's own code.
func MustLookup(name string) Metric {
	m, err := Lookup(name)
	if err != nil {
		panic(err)
	}
	return m
}

// unknown names what may have been meant: the metrics with the same first word,
// or the first words.
func unknown(name string) error {
	first, _, _ := strings.Cut(name, ".")
	var same, firsts []string
	for _, n := range Forms() {
		word, _, _ := strings.Cut(n, ".")
		if word == first {
			same = append(same, n)
		}
		if !slices.Contains(firsts, word) {
			firsts = append(firsts, word)
		}
	}
	if len(same) > 0 {
		return fmt.Errorf("unknown metric %q: use one of %s", short(name), strings.Join(same, ", "))
	}
	return fmt.Errorf("unknown metric %q: a metric begins with one of %s", short(name), strings.Join(firsts, ", "))
}

// short keeps a long name from filling a screen.
func short(name string) string {
	const most = 60
	if len(name) <= most {
		return name
	}
	return name[:most] + "…"
}

// family is many metrics with a common form of name.
type family struct {
	prefix string
	forms  []string
	lookup func(name string) (Metric, error)
	// members are the names that a subject has something of.
	members func(*series.Subject) []string
}

// serverName is the form of the names of several servers.
var serverName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// valueName is the form of the names of what code says of itself.
var valueName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// Adds reports whether the metric of several clients together, which have one server, is
// the sum of what each has: a count, and not the most or the slowest of them. The
// server's listeners are as many as with one client.
func (m Metric) Adds() bool {
	if strings.HasSuffix(m.Name, "."+socketstats.Listen.String()) {
		return false
	}
	for _, prefix := range []string{"requests.", "connections.", "pool.", "kernel_connections.", "client.", "server.", ServersPrefix, ValuesPrefix, KindsPrefix, "growth_per_second"} {
		if strings.HasPrefix(m.Name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"server_process.fds", "server_process.fds_peak", "server_process.goroutines", "server_process.goroutines_peak"}, m.Name)
}

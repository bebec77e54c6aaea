// Package fleet makes one table of what many exporters say: each node with its
// processes, the worst first, and what did not answer.
package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Fleet has a node for each exporter that was asked, whether it answered or not.
type Fleet struct {
	Nodes []Node
	// Expected is how many exporters there should be; 0 is as many as were asked.
	Expected int
}

// Node is one exporter.
type Node struct {
	Name string
	// Silent says why nothing is known of it; "" if it answered.
	Silent string
	// Unobserved are the processes that it should observe and cannot, by reason.
	Unobserved map[string]int
	Processes  []Process
}

// Process is one process of a node, or what the exporter has no series of its own for.
type Process struct {
	Node, Name, PID           string
	Namespace, Pod, Container string
	// Verdict has the kind, the severity and the confidence only; the Kind is "" before
	// there is a verdict.
	Verdict verdict.Verdict
	// Sockets are those of both ends, by state.
	Sockets map[string]int
	// PerSecond is how fast the open ones grow.
	PerSecond float64
	// Exhausts is what runs out first, and Left the time until then; "" if nothing does
	// that is known.
	Exhausts string
	Left     time.Duration
}

// Open is the number of open sockets.
func (p *Process) Open() (n int) {
	for state, count := range p.Sockets {
		if s, err := socketstats.ParseState(state); err == nil && s.Open() {
			n += count
		}
	}
	return n
}

// Missing counts the expected exporters that did not answer; 0 is a whole fleet.
func (f *Fleet) Missing() int {
	answered := 0
	for i := range f.Nodes {
		if f.Nodes[i].Silent == "" {
			answered++
		}
	}
	return max(f.Expected, len(f.Nodes)) - answered
}

// Unobserved counts the processes that the nodes could not look into. Nodes that did not
// answer are not in it.
func (f *Fleet) Unobserved() (n int) {
	for i := range f.Nodes {
		for _, count := range f.Nodes[i].Unobserved {
			n += count
		}
	}
	return n
}

// Open sums the open sockets of all nodes, and is false where some did not answer: a sum
// of the others would look like one of all.
func (f *Fleet) Open() (n int, conclusive bool) {
	for i := range f.Nodes {
		for j := range f.Nodes[i].Processes {
			n += f.Nodes[i].Processes[j].Open()
		}
	}
	return n, f.Missing() == 0 && len(f.Nodes) > 0
}

// Processes are those of all nodes, the worst first: leaks, faults and notes, of these
// what runs out soonest, then what grows fastest, then what holds most.
func (f *Fleet) Processes() []*Process {
	var list []*Process
	for i := range f.Nodes {
		for j := range f.Nodes[i].Processes {
			list = append(list, &f.Nodes[i].Processes[j])
		}
	}
	left := func(p *Process) time.Duration {
		if p.Exhausts == "" {
			return math.MaxInt64
		}
		return p.Left
	}
	slices.SortStableFunc(list, func(a, b *Process) int {
		return cmp.Or(
			verdict.Compare(a.Verdict, b.Verdict), cmp.Compare(left(a), left(b)), cmp.Compare(b.PerSecond, a.PerSecond),
			cmp.Compare(b.Open(), a.Open()), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name), cmp.Compare(a.PID, b.PID),
		)
	})
	return list
}

// sample is one value of a series.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// oldest is the age of a count above which a node is as good as silent.
const oldest = 5 * time.Minute

// node makes a node of its samples.
func node(name string, samples []sample, now time.Time) Node {
	n := Node{Name: name, Unobserved: map[string]int{}}
	processes := map[string]*Process{}
	counted := false
	for _, s := range samples {
		l := s.labels
		switch s.name {
		case "socketlab_last_sample_timestamp_seconds":
			counted = true
			if age := now.Sub(time.Unix(0, int64(s.value*1e9))); age > oldest {
				n.Silent = fmt.Sprintf("its newest count is %s old", age.Round(time.Second))
			}
		case "socketlab_unobserved_processes":
			n.Unobserved[l["reason"]] += count(s.value)
		}
		if l["process"] == "" {
			continue
		}
		key := l["process"] + "\x00" + l["pid"]
		p := processes[key]
		if p == nil {
			p = &Process{
				Node: name, Name: l["process"], PID: l["pid"], Namespace: l["namespace"], Pod: l["pod"], Container: l["container"], Sockets: map[string]int{},
			}
			processes[key] = p
		}
		switch s.name {
		case "socketlab_sockets":
			p.Sockets[l["state"]] += count(s.value)
		case "socketlab_verdict_info":
			p.Verdict = verdict.Verdict{Kind: verdict.Kind(l["kind"]), Severity: verdict.Severity(l["severity"]), Confidence: verdict.Confidence(l["confidence"])}
		case "socketlab_open_sockets_growth_per_second":
			if !math.IsNaN(s.value) && !math.IsInf(s.value, 0) {
				p.PerSecond = s.value
			}
		case "socketlab_exhaustion_seconds":
			left := time.Duration(min(s.value, math.MaxInt64/1e10) * float64(time.Second))
			if s.value >= 0 && !math.IsInf(s.value, 1) && (p.Exhausts == "" || left < p.Left) {
				p.Exhausts, p.Left = l["resource"], left
			}
		}
	}
	if !counted {
		n.Silent = "it answers, and is no exporter of sockwatch"
	}
	if n.Silent != "" {
		return n
	}
	for _, key := range slices.Sorted(maps.Keys(processes)) {
		n.Processes = append(n.Processes, *processes[key])
	}
	slices.SortStableFunc(n.Processes, func(a, b Process) int { return cmp.Compare(number(a.PID), number(b.PID)) })
	return n
}

// count is the number of things that a value says. What is no number of things is none, and
// sums of the largest are numbers, too.
func count(value float64) int {
	if !(value >= 0) { // also NaN
		return 0
	}
	return int(min(value, math.MaxInt32))
}

func number(pid string) int {
	n, _ := strconv.Atoi(pid)
	return n
}

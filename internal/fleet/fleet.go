// Package fleet makes one table of what many exporters say: each node with its
// processes, the worst first, and what did not answer.
package fleet

import (
	"cmp"
	"errors"
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

// making is a node in the making, of one sample after another.
type making struct {
	node      Node
	processes map[string]*Process
	// sockets and unobserved are all of the node.
	sockets, unobserved float64
	counted             bool
	kept                int // about how many bytes
}

const (
	// mostKept bounds what is kept of one node, and shown: 1,000 processes with series of their
	// own and long names, ten times as many as an exporter has unless --max-processes says more.
	mostKept = 1850 << 10
	// What a process and a text take beside the bytes of the text, and how often each of these
	// is there while a table is made: so that the dearest answers cost the same, as measured.
	costOfProcess, costOfText, timesOfText = 1200, 16, 3
	// longestText is the longest name of a file on Linux; those of Kubernetes are shorter.
	longestText = 255
)

// kept are the labels that are kept of a sample; of a state there are few.
var kept = []string{"process", "pid", "namespace", "pod", "container", "kind", "severity", "confidence", "resource", "reason"}

func newMaking(name string) *making {
	return &making{node: Node{Name: name, Unobserved: map[string]int{}}, processes: map[string]*Process{}}
}

// node makes a node of its samples.
func node(name string, samples []sample, now time.Time) Node {
	m := newMaking(name)
	for i := range samples {
		if err := m.add(&samples[i], now); err != nil {
			return Node{Name: name, Silent: err.Error()}
		}
	}
	return m.done()
}

// add takes one more sample. With an error, nothing of the node may be believed.
func (m *making) add(s *sample, now time.Time) error {
	if err := m.check(s, now); err != nil {
		return err
	}
	l := s.labels
	for _, name := range kept {
		if n := len(l[name]); n > longestText {
			return fmt.Errorf("a label %s of its %s has %d bytes, and no name has more than %d", name, s.name, n, longestText)
		}
	}
	switch s.name {
	case lastSample:
		m.counted = true
	case unobservedProcesses:
		if _, known := m.node.Unobserved[l["reason"]]; !known {
			m.kept += costOfProcess // an exporter has two reasons: no need to be exact
			m.keep(l["reason"])
		}
		m.node.Unobserved[l["reason"]] += int(s.value)
	}
	if l["process"] == "" {
		return m.tooMuch()
	}
	key := l["process"] + "\x00" + l["pid"]
	p := m.processes[key]
	if p == nil {
		m.kept += costOfProcess
		m.keep(key, l["namespace"], l["pod"], l["container"])
		p = &Process{
			Node: m.node.Name, Name: l["process"], PID: l["pid"], Namespace: l["namespace"], Pod: l["pod"], Container: l["container"], Sockets: map[string]int{},
		}
		m.processes[key] = p
	}
	switch s.name {
	case sockets:
		if _, known := p.Sockets[l["state"]]; !known {
			m.keep(l["state"])
		}
		p.Sockets[l["state"]] += int(s.value)
	case verdictInfo:
		if s.value == 1 { // one of 0 is not in force
			m.keep(l["kind"], l["severity"], l["confidence"])
			p.Verdict = verdict.Verdict{Kind: verdict.Kind(l["kind"]), Severity: verdict.Severity(l["severity"]), Confidence: verdict.Confidence(l["confidence"])}
		}
	case growth:
		p.PerSecond = s.value
	case exhaustion:
		left := time.Duration(min(s.value, math.MaxInt64/1e10) * float64(time.Second))
		if !math.IsInf(s.value, 1) && (p.Exhausts == "" || left < p.Left) {
			m.keep(l["resource"])
			p.Exhausts, p.Left = l["resource"], left
		}
	}
	return m.tooMuch()
}

// keep counts texts that are kept.
func (m *making) keep(texts ...string) {
	for _, text := range texts {
		m.kept += costOfText + timesOfText*len(text)
	}
}

// tooMuch is an error where more is kept than there is room for.
func (m *making) tooMuch() error {
	if m.kept > mostKept {
		return errors.New("it says more than is kept of one node: lower the --max-processes of its exporter")
	}
	return nil
}

// done is the node of all samples.
func (m *making) done() Node {
	if !m.counted {
		return Node{Name: m.node.Name, Silent: "it answers, and is no exporter of sockwatch"}
	}
	for _, key := range slices.Sorted(maps.Keys(m.processes)) {
		m.node.Processes = append(m.node.Processes, *m.processes[key])
	}
	slices.SortStableFunc(m.node.Processes, func(a, b Process) int { return cmp.Compare(number(a.PID), number(b.PID)) })
	return m.node
}

func number(pid string) int {
	n, _ := strconv.Atoi(pid)
	return n
}

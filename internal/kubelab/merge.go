package kubelab

import (
	"fmt"
	"slices"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// merger adds up what the hub and all agents see. A moment of the whole run is one that
// every one of them has counted: where somebody missed it there is none, because the sum of
// the rest would look as if sockets were gone. It is for one goroutine at a time.
type merger struct {
	cluster series.Cluster
	emit    func(series.Event)

	own     *part
	clients []*part // in their order: the faulty ones first
	header  *series.Header
	ticks   map[int]int // how many parts have counted at a tick
	tick    int         // of the newest moment that was emitted; -1 before the first
	at      time.Duration
	named   bool // the clients' identities were emitted
}

// part is what the hub, or one agent, sees.
type part struct {
	side      scenario.Side // "" of the hub
	index     int
	pod, node string
	identity  series.Identity
	moments   map[int]*series.Moment // by their tick, those that were not emitted yet
	last      *series.Moment
	end       *series.Ending
}

func newMerger(cluster series.Cluster, clients []*part, emit func(series.Event)) *merger {
	m := &merger{cluster: cluster, emit: emit, own: &part{}, clients: clients, ticks: map[int]int{}, tick: -1}
	for _, p := range append([]*part{m.own}, clients...) {
		p.moments = map[int]*series.Moment{}
	}
	return m
}

// add enters an event of a part.
func (m *merger) add(p *part, e series.Event) {
	switch {
	case e.Header != nil && p == m.own:
		m.header = e.Header
	case e.Header != nil && len(e.Header.Subjects) == 1:
		p.identity = e.Header.Subjects[0]
	case e.Moment != nil && p != m.own && len(e.Moment.Subjects) == 0: // it counted nothing
	case e.Moment != nil && m.header != nil:
		tick := int((e.Moment.At + m.header.Interval/2) / m.header.Interval)
		p.last = e.Moment
		if _, again := p.moments[tick]; again || tick <= m.tick {
			return
		}
		p.moments[tick] = e.Moment
		if m.ticks[tick]++; m.ticks[tick] == 1+len(m.clients) {
			m.moment(func(p *part) *series.Moment { return p.moments[tick] })
			m.forget(tick)
		}
	case e.End != nil:
		p.end = e.End
	}
}

// forget drops what is not newer than a tick.
func (m *merger) forget(tick int) {
	m.tick = tick
	for t := range m.ticks {
		if t <= tick {
			delete(m.ticks, t)
			for _, p := range append([]*part{m.own}, m.clients...) {
				delete(p.moments, t)
			}
		}
	}
}

// begin emits the header, before the first moment.
func (m *merger) begin() {
	if m.named || m.header == nil {
		return
	}
	m.named = true
	h := *m.header
	s := *h.Scenario
	c := m.cluster
	for _, p := range m.clients {
		if p.node != "" && !slices.Contains(c.Nodes, p.node) {
			c.Nodes = append(c.Nodes, p.node)
		}
	}
	slices.Sort(c.Nodes)
	s.Cluster, h.Scenario = &c, &s
	h.Subjects = slices.Clone(h.Subjects)
	for i := range h.Subjects {
		of := &h.Subjects[i]
		for _, p := range m.of(of.ID) {
			of.Limits.Descriptors = p.identity.Limits.Descriptors
			of.Limits.Ports += p.identity.Limits.Ports // each pod has its own
		}
	}
	m.emit(series.Event{Header: &h})
}

// of are the clients of a side.
func (m *merger) of(side string) (list []*part) {
	for _, p := range m.clients {
		if string(p.side) == side {
			list = append(list, p)
		}
	}
	return list
}

// moment emits the sum of one moment of each part.
func (m *merger) moment(of func(*part) *series.Moment) {
	first := !m.named
	m.begin()
	own := of(m.own)
	sum := &series.Moment{At: own.At, Took: own.Took, CPU: own.CPU}
	var each []series.SubjectSample
	for i, subject := range own.Subjects {
		if i >= len(m.header.Subjects) {
			break
		}
		clients := m.of(subject.ID)
		samples := make([]*series.SubjectSample, len(clients))
		for j, p := range clients {
			moment := of(p)
			sum.At, sum.Took, sum.CPU = max(sum.At, moment.At), max(sum.Took, moment.Took), sum.CPU+moment.CPU
			samples[j] = &moment.Subjects[0]
			one := moment.Subjects[0]
			one.ID, one.Identity = clientID(p.side, p.index), nil
			if first {
				one.Identity = p.who()
			}
			each = append(each, one)
		}
		sum.Subjects = append(sum.Subjects, together(subject, samples, m.header.Subjects[i].Relayed))
	}
	sum.Subjects = append(sum.Subjects, each...)
	m.at = sum.At
	m.emit(series.Event{Moment: sum})
}

// who is a client as a part of its side.
func (p *part) who() *series.Identity {
	id := p.identity
	id.ID, id.Name, id.Parent, id.Paired = clientID(p.side, p.index), clientID(p.side, p.index), string(p.side), true
	if p.pod != "" {
		id.Container = fmt.Sprintf("pod %s on node %s", p.pod, p.node)
	}
	return &id
}

// together is a side's sample: the server's end from the hub, the client's ends from the
// agents. Connections are counted once: by the clients, unless the server opens some of its
// own, which only the server's pod sees.
func together(server series.SubjectSample, clients []*series.SubjectSample, relayed bool) series.SubjectSample {
	sum := server
	heard := server.KernelConns
	sum.KernelConns = nil
	known := true
	for _, c := range clients {
		one := c.Sample
		known = known && one.KernelConns != nil
		sum.Add(&one)
	}
	if !known {
		sum.KernelConns = nil
	}
	if relayed {
		sum.KernelConns = heard
	}
	process := sum.Process
	sum.ClientMetrics = metrics(server.ClientMetrics, clients, func(c *series.SubjectSample) series.ClientMetrics { return c.ClientMetrics })
	sum.Process = process
	return sum
}

// metrics adds what clients count, and takes from the server what it knows.
func metrics[C any](server series.ClientMetrics, clients []C, of func(C) series.ClientMetrics) series.ClientMetrics {
	var sum series.ClientMetrics
	for i, c := range clients {
		if i == 0 {
			sum = of(c)
		} else {
			sum = sum.Plus(of(c))
		}
	}
	sum.ServerProcess = server.ServerProcess
	if server.Requests != nil && sum.Requests != nil {
		requests := *sum.Requests
		requests.Serving = server.Requests.Serving
		sum.Requests = &requests
	}
	return sum
}

// finish emits the end. stopped says why it came before its time; "" if it did not.
func (m *merger) finish(stopped string) {
	if m.header == nil { // nothing was played
		return
	}
	whole := m.own.end != nil && m.own.last != nil
	for _, p := range m.clients {
		whole = whole && p.end != nil && p.last != nil
	}
	if whole && stopped == "" {
		// The last count of each is of the time when the load was over everywhere.
		newest := m.own.last.At
		for _, p := range m.clients {
			newest = max(newest, p.last.At)
		}
		if newest > m.at {
			m.moment(func(p *part) *series.Moment { return p.last })
		}
	}
	m.begin()
	end := &series.Ending{Duration: m.at, Stopped: stopped}
	for i := range m.header.Subjects {
		of := &m.header.Subjects[i]
		clients := m.of(of.ID)
		if f, known := m.final(i, of, clients); known {
			end.Subjects = append(end.Subjects, series.SubjectFinal{ID: of.ID, Final: f})
		}
		for _, p := range clients {
			if p.end != nil && len(p.end.Subjects) == 1 {
				end.Subjects = append(end.Subjects, series.SubjectFinal{ID: clientID(p.side, p.index), Final: p.end.Subjects[0].Final})
			}
		}
	}
	m.emit(series.Event{End: end})
}

// final is the last word on a side; false where not all of it have said theirs.
func (m *merger) final(i int, of *series.Identity, clients []*part) (series.Final, bool) {
	if m.own.end == nil || i >= len(m.own.end.Subjects) {
		return series.Final{}, false
	}
	server := m.own.end.Subjects[i].Final
	var finals []series.Final
	for _, p := range clients {
		if p.end == nil || len(p.end.Subjects) != 1 {
			return series.Final{}, false
		}
		finals = append(finals, p.end.Subjects[0].Final)
	}
	f := series.Final{ClientMetrics: metrics(server.ClientMetrics, finals, func(f series.Final) series.ClientMetrics { return f.ClientMetrics })}
	var conns series.ConnCounts
	f.KernelConns = &conns
	for _, c := range finals {
		if c.Stopped != "" && f.Stopped == "" {
			f.Stopped = c.Stopped
		}
		if c.KernelConns == nil {
			f.KernelConns = nil
		}
		if f.KernelConns != nil {
			conns = conns.Plus(*c.KernelConns)
		}
	}
	if of.Relayed {
		f.KernelConns = server.KernelConns
	}
	return f, true
}

// Sides is an event without what is of single clients, for faces that have room for the sides
// alone.
func Sides(e series.Event) series.Event {
	if e.Moment == nil {
		return e
	}
	m := *e.Moment
	m.Subjects = slices.DeleteFunc(slices.Clone(m.Subjects), func(s series.SubjectSample) bool {
		return s.ID != string(scenario.Faulty) && s.ID != string(scenario.Fixed)
	})
	e.Moment = &m
	return e
}

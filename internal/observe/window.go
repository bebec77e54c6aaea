package observe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

// Window is the newest samples of a watch, as subjects that can be judged and
// shown. The zero Window is empty. It is for one goroutine.
type Window struct {
	// Most is how many samples are kept; 0 is all. Of many processes fewer are.
	// What is forgotten first is that in which nothing happened, then the oldest.
	Most int
	// OldestFirst makes it forget the oldest first, whatever happened in it: a chart
	// shows the newest.
	OldestFirst bool
	// Thin bounds what is kept by leaving out samples of the whole time in place of the
	// oldest: of a long recording one of two, of four and so on stay, as if it had been made
	// with a longer interval, and those that have the most of something. Most is not used.
	Thin bool

	watch series.Observation // without subjects
	// services are the namespaces in which a port is used, by the first one of its service.
	services map[string]string
	moments  []series.Moment
	// identities are of the subjects that were seen.
	identities map[string]series.Identity
	// before is what came and went of each subject up to the first sample that
	// is kept; nil while all are.
	before map[string]series.ConnCounts
	// holders are by the ids of subjects.
	holders map[string]*where.Report
	// remembered is above how many subjects those are forgotten that are in no sample.
	remembered int
	// Of a window that is Thin: how many rows its samples have, how often half was left
	// out, how many samples there were, and the number of each that is kept.
	rows, halvings, seen int
	numbers              []int
	// newest is the time of the newest sample, and step that since the one before.
	newest, step time.Duration
}

// Add enters the next event of a watch with details.
func (w *Window) Add(e series.Event) {
	if m := e.Moment; m != nil {
		if !w.Thin {
			w.makeRoom(m)
		}
		w.step, w.newest = m.At-w.newest, m.At
		for _, service := range m.Services {
			if w.services == nil {
				w.services = map[string]string{}
			}
			for _, namespace := range service {
				w.services[namespace] = service[0]
			}
		}
		w.moments = append(w.moments, *m)
		if w.Thin {
			w.thin()
		}
		if w.identities == nil {
			w.identities = map[string]series.Identity{}
		}
		for i := range m.Subjects {
			if id := m.Subjects[i].Identity; id != nil {
				w.identities[id.ID] = *id
			}
		}
		bare := *m
		bare.Subjects = nil
		e.Moment = &bare
	}
	w.watch.Add(e)
}

// SetHolders enters which lines hold the connections of a subject, in place of what was
// entered before.
func (w *Window) SetHolders(id string, r *where.Report) {
	if w.holders == nil {
		w.holders = map[string]*where.Report{}
	}
	w.holders[id] = r
}

// Len is how many samples are kept.
func (w *Window) Len() int { return len(w.moments) }

// Last is the newest sample; nil before the first. It must not be changed.
func (w *Window) Last() *series.Moment {
	if len(w.moments) == 0 {
		return nil
	}
	return &w.moments[len(w.moments)-1]
}

// Observation returns what is kept of the watch: the subjects of the newest sample,
// each with the samples in which it was there. Its cost is that of all samples.
func (w *Window) Observation() *series.Observation {
	w.settle()
	o := w.watch
	index := map[string]*series.Subject{}
	if last := w.Last(); last != nil {
		for i := range last.Subjects {
			id := last.Subjects[i].ID
			index[id] = &series.Subject{Identity: w.identities[id], Holders: w.holders[id]}
			if w.isPart(id) {
				o.Parts = append(o.Parts, index[id])
			} else {
				o.Subjects = append(o.Subjects, index[id])
			}
		}
	}
	for i := range w.moments {
		m := &w.moments[i]
		for j := range m.Subjects {
			if s := index[m.Subjects[j].ID]; s != nil {
				sample := m.Subjects[j].Sample
				sample.At = m.At
				s.Samples = append(s.Samples, sample)
			}
		}
	}
	return &o
}

// Count sums a figure over all subjects of the newest sample, of the end that has
// more: with a port, both ends of a connection may be there; without one, they are
// added. Where several services use the port it is the most that one of them has.
func (w *Window) Count(figure func(socketstats.Counts) int) int {
	sums := map[string]*series.Sample{}
	if last := w.Last(); last != nil {
		for i := range last.Subjects {
			if id := last.Subjects[i].ID; w.inSums(id) {
				service := w.serviceOf(id)
				if sums[service] == nil {
					sums[service] = &series.Sample{}
				}
				sums[service].Add(&last.Subjects[i].Sample)
			}
		}
	}
	most := 0
	for _, sum := range sums {
		client, server := figure(sum.Client.Counts), figure(sum.Server.Counts)
		if w.port() != 0 {
			most = max(most, client, server)
		} else {
			most = max(most, client+server)
		}
	}
	return most
}

// Kind sums the descriptors of a kind over all subjects of the newest sample; where several
// services use the port, over those of one of them that have the most.
func (w *Window) Kind(kind string) int {
	sums, most := map[string]int{}, 0
	w.eachProcess(func(id string, p *series.Process) {
		sums[w.serviceOf(id)] += p.Kinds[kind]
		most = max(most, sums[w.serviceOf(id)])
	})
	return most
}

// Descriptors is the most descriptors that a process of the newest sample has open.
func (w *Window) Descriptors() int {
	most := 0
	w.eachProcess(func(_ string, p *series.Process) { most = max(most, p.Descriptors) })
	return most
}

func (w *Window) eachProcess(visit func(id string, p *series.Process)) {
	if last := w.Last(); last != nil {
		for i := range last.Subjects {
			if s := &last.Subjects[i]; s.Process != nil && !w.isPart(s.ID) {
				visit(s.ID, s.Process)
			}
		}
	}
}

// LooksAtAll reports whether the watch is of every process that could be seen.
func (w *Window) LooksAtAll() bool { return w.watch.Target != nil && w.watch.Target.All }

func (w *Window) port() uint16 {
	if w.watch.Target == nil {
		return 0
	}
	return w.watch.Target.Port
}

// Together is the id of the subject that is all processes together. Where several services use
// a port it is with the network namespace of each, but for ours.
const Together = "all"

// IsTogether reports whether a subject is all processes together.
func IsTogether(id string) bool { return id == Together || strings.HasPrefix(id, Together+", ") }

// serviceOf is the service that a row belongs to, by its first network namespace; "" where
// there is one only.
func (w *Window) serviceOf(id string) string {
	if w.services == nil {
		return ""
	}
	namespace := w.identities[id].Namespace
	if first, ok := w.services[namespace]; ok {
		return first
	}
	return namespace
}

// inService are those of some rows that belong to a service.
func (w *Window) inService(ids []string, service string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return w.serviceOf(id) != service })
}

// servicesNow are the services of the newest sample.
func (w *Window) servicesNow() []string {
	var list []string
	for _, s := range w.Last().Subjects {
		list = append(list, w.serviceOf(s.ID))
	}
	if len(list) == 0 {
		return []string{""}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Subjects lists what there is to judge: all together, if that is not just one
// process, and each process that was there for long enough. There is none before
// the first sample. Where several services use a port, all of each are together.
func (w *Window) Subjects() []*series.Subject {
	if w.Len() == 0 {
		return nil
	}
	w.settle()
	ids := w.lasting()
	var subjects []*series.Subject
	for _, service := range w.servicesNow() {
		if of := w.inService(ids, service); len(of) == 0 || !w.LooksAtAll() && (len(of) != 1 || w.others(of[0])) {
			subjects = append(subjects, w.together(service))
		}
	}
	return append(subjects, w.each(ids)...)
}

// Processes lists each process that was there for long enough to be judged.
func (w *Window) Processes() []*series.Subject {
	w.settle()
	return w.each(w.lasting())
}

func (w *Window) each(ids []string) []*series.Subject {
	var subjects []*series.Subject
	own, parts := w.rowsByID()
	for _, id := range ids {
		s := w.subject(w.identities[id], own[id], parts[id])
		w.endWith(s)
		subjects = append(subjects, s)
	}
	return subjects
}

// rowAt is where a row is: the sample, and its place there.
type rowAt struct{ moment, subject int }

// rowsByID are the rows of each subject, and those of its processes where these have rows of their
// own, in their order. A recording may have tens of thousands of subjects: no pass over all rows is
// made for each of them.
func (w *Window) rowsByID() (own, parts map[string][]rowAt) {
	own, parts = map[string][]rowAt{}, map[string][]rowAt{}
	for i := range w.moments {
		for j := range w.moments[i].Subjects {
			id := w.moments[i].Subjects[j].ID
			own[id] = append(own[id], rowAt{i, j})
			if parent := w.identities[id].Parent; parent != "" {
				parts[parent] = append(parts[parent], rowAt{i, j})
			}
		}
	}
	return own, parts
}

// endWith leaves out the samples since a process has ended that the target names by its
// number: its sockets were closed for it, which heals no leak.
func (w *Window) endWith(s *series.Subject) {
	last := len(w.moments) - 1
	if !w.isTarget(s.ID) || w.isThere(last, s.ID) {
		return
	}
	for last > 0 && !w.isThere(last, s.ID) {
		last--
	}
	s.Samples, s.EndedAfter = s.Samples[:last+1], w.moments[last].At
}

// isTarget reports whether the target names a process by its number.
func (w *Window) isTarget(id string) bool {
	return w.watch.Target != nil && !IsNoProcess(id) && slices.Contains(w.watch.Target.PIDs, w.identities[id].PID)
}

// isThere reports whether a process is there in a sample: what has ended may have a row of
// what lingers.
func (w *Window) isThere(i int, id string) bool {
	return slices.ContainsFunc(w.moments[i].Subjects, func(s series.SubjectSample) bool {
		return s.ID == id && there(&s, *cmp.Or(s.KernelConns, &series.ConnCounts{}))
	})
}

// lasting lists the processes that are there now and were in more than ten
// samples, or in more than half of them while they are few. Those that the target names by
// their numbers are among them after their end, too.
func (w *Window) lasting() []string {
	seen, before := map[string]int{}, maps.Clone(w.before)
	if before == nil {
		before = map[string]series.ConnCounts{}
	}
	now := map[string]bool{} // those of the newest sample
	for i := range w.moments {
		clear(now)
		for j := range w.moments[i].Subjects {
			s := &w.moments[i].Subjects[j]
			if there(s, before[s.ID]) {
				seen[s.ID]++
				now[s.ID] = true
			}
			if s.KernelConns != nil {
				before[s.ID] = *s.KernelConns
			}
		}
	}
	var ids []string
	for id := range seen {
		if (now[id] || w.isTarget(id)) && !IsNoProcess(id) && !w.isPart(id) && 2*seen[id] > min(w.Len(), 20) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return int(w.identities[a].PID) - int(w.identities[b].PID) })
	return ids
}

// inSums reports whether a row counts where rows are summed: it is neither a part of
// another nor the server, whose sockets are the other ends of the others'.
func (w *Window) inSums(id string) bool {
	identity := w.identities[id]
	return identity.Parent == "" && !identity.Serves
}

// isPart reports whether a row is one process of a subject that has a row of its own.
func (w *Window) isPart(id string) bool { return w.identities[id].Parent != "" }

// there reports whether a process was there, as far as is known. One that has
// ended leaves a row of what came and went, and of what lingers. before is what had
// come and gone in the sample before.
func there(s *series.SubjectSample, before series.ConnCounts) bool {
	lingers := s.Client.Counts.Of(socketstats.TimeWait) + s.Server.Counts.Of(socketstats.TimeWait)
	return s.KernelConns == nil || !sameConns(s.KernelConns, &before) ||
		(s.Process != nil && s.Process.Descriptors > 0) || s.Client.Counts.Total()+s.Server.Counts.Total() > lingers
}

// others reports whether anything was seen of the service that was not of this process.
func (w *Window) others(id string) bool {
	return slices.ContainsFunc(w.moments, func(m series.Moment) bool {
		return slices.ContainsFunc(m.Subjects, func(s series.SubjectSample) bool {
			return s.ID != id && w.inSums(s.ID) && w.serviceOf(s.ID) == w.serviceOf(id)
		})
	})
}

// together is all rows of a service as one subject.
func (w *Window) together(service string) *series.Subject {
	id := series.Identity{ID: Together, Name: "all processes together"}
	if t := w.watch.Target; t != nil && t.Port != 0 {
		id.Name = fmt.Sprintf("all connections to port %d", t.Port)
	} else if t != nil && t.Name != "" {
		id.Name = fmt.Sprintf("all %s processes together", t.Name)
	}
	if service != "" {
		id.ID, id.Name, id.Namespace = id.ID+", "+service, id.Name+", "+service, service
	}
	var processes []series.Identity
	for _, s := range w.Last().Subjects {
		if !IsNoProcess(s.ID) && w.inSums(s.ID) && w.serviceOf(s.ID) == service {
			processes = append(processes, w.identities[s.ID])
		}
	}
	describeTogether(&id, processes)
	var rows []rowAt
	for i := range w.moments {
		for j := range w.moments[i].Subjects {
			if id := w.moments[i].Subjects[j].ID; w.inSums(id) && w.serviceOf(id) == service {
				rows = append(rows, rowAt{i, j})
			}
		}
	}
	return w.subject(id, rows, nil)
}

// subject is the sum of rows, with a sample for each of the watch: one in which it has no
// row is one of nothing. parts are the rows of its processes, if they have any.
func (w *Window) subject(id series.Identity, rows, parts []rowAt) *series.Subject {
	id.Paired = w.port() != 0 && !id.Serves
	s := &series.Subject{Identity: id, Samples: make([]series.Sample, len(w.moments)), Holders: w.holders[id.ID]}
	epochs := epochs{often: 4}
	for i := range w.moments {
		m, sample := &w.moments[i], &s.Samples[i]
		var ids []string
		for ; len(rows) > 0 && rows[0].moment == i; rows = rows[1:] {
			row := &m.Subjects[rows[0].subject]
			sample.Add(&row.Sample)
			if row.Process != nil && sample.Process.Descriptors == row.Process.Descriptors { // it has the most
				s.Limits = w.identities[row.ID].Limits
			}
			ids = append(ids, row.ID)
		}
		sample.At, sample.Unattributed, sample.FailedConnects, sample.Queue = m.At, m.Unattributed, m.FailedConnects, sample.Queue.Fuller(m.Queue)
		if m.EventSource != "" && sample.KernelConns == nil && !id.Serves {
			sample.KernelConns = &series.ConnCounts{}
		}
		ofSample := 0
		for ofSample < len(parts) && parts[ofSample].moment == i {
			ofSample++
		}
		if ofSample > 0 {
			ids, epochs.often = w.holding(parts[:ofSample]), 20
			parts = parts[ofSample:]
		}
		sample.Epoch = epochs.next(ids)
	}
	if epochs.common(len(s.Samples)) || id.Paired && !grewUntilReplaced(s.Samples) {
		for i := range s.Samples {
			s.Samples[i].Epoch = 0
		}
	}
	w.rebase(s)
	return s
}

// holding are those of some processes that hold sockets.
func (w *Window) holding(parts []rowAt) []string {
	var list []string
	for _, p := range parts {
		part := &w.moments[p.moment].Subjects[p.subject]
		if part.Client.Counts.Open()+part.Server.Counts.Total() > 0 {
			list = append(list, part.ID)
		}
	}
	return list
}

// rebase takes from a subject what came and went before its first sample: a verdict
// is on what the samples show, and the watch counts on from its own beginning.
func (w *Window) rebase(s *series.Subject) {
	if w.before == nil {
		return
	}
	first := s.Samples[0]
	var base series.ConnCounts
	if first.KernelConns != nil {
		base = *first.KernelConns
	}
	if before, ok := w.before[s.ID]; ok { // it may have no row in the first
		base = before
	}
	for i := range s.Samples {
		sample := &s.Samples[i]
		sample.Unattributed -= first.Unattributed
		sample.FailedConnects -= first.FailedConnects
		if sample.KernelConns != nil {
			since := sample.KernelConns.Since(base)
			sample.KernelConns = &since
		}
	}
}

// Identity is that of a subject which some sample has; the zero Identity of another.
func (w *Window) Identity(id string) series.Identity { return w.identities[id] }

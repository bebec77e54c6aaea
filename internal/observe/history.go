package observe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// History is the snapshots of a target, as series that can be judged. The zero
// History is empty.
type History struct {
	// Most is how many snapshots are kept; 0 is all. Of many processes fewer are.
	// What is forgotten first is that in which nothing happened, then the oldest.
	Most      int
	snapshots []Snapshot
	// before is what came and went of each process up to the first snapshot that
	// is kept; nil while all are.
	before map[int32]Flow
	// newest is the time of the newest snapshot, and step that since the one
	// entered before.
	newest, step time.Duration
}

// Add enters the next snapshot of a target that is observed with details.
func (h *History) Add(s Snapshot) {
	h.makeRoom(s)
	h.step, h.newest = s.After-h.newest, s.After
	h.snapshots = append(h.snapshots, s)
}

// Len is how many snapshots are kept.
func (h *History) Len() int { return len(h.snapshots) }

// Snapshots are those that are kept, in their order, up to the next [History.Add].
// They must not be changed.
func (h *History) Snapshots() []Snapshot { return h.snapshots }

// Last is the newest snapshot. There must be one.
func (h *History) Last() Snapshot { return h.snapshots[len(h.snapshots)-1] }

// Count sums a figure over the rows, of the end that has more: with a port, both
// ends of a connection may be there; without one, they are added.
func (s Snapshot) Count(figure func(socketstats.Counts) int) int {
	client, server := 0, 0
	for _, p := range s.Processes {
		client += figure(p.Client)
		server += figure(p.Server)
	}
	if s.Port != 0 {
		return max(client, server)
	}
	return client + server
}

// Listed returns the sockets of the last count that are in a state, or open if
// it is 0: first those that have said nothing for the longest. With a port they
// are those of the clients, where they are here.
func (w *Watcher) Listed(state socketstats.State) []socketstats.Socket {
	var ends [2][]socketstats.Socket
	for _, s := range w.sockets {
		_, end, ok := w.rowOfListed(&s)
		open := s.State != socketstats.Listen && s.State != socketstats.TimeWait
		if ok && (s.State == state || (state == 0 && open)) {
			ends[end] = append(ends[end], s)
		}
	}
	list := ends[socketstats.Client]
	if w.target.Port == 0 {
		list = slices.Concat(list, ends[socketstats.Server])
	} else if len(list) < len(ends[socketstats.Server]) {
		list = ends[socketstats.Server]
	}
	slices.SortStableFunc(list, func(a, b socketstats.Socket) int { return cmp.Compare(silence(b), silence(a)) })
	return list
}

func silence(s socketstats.Socket) time.Duration {
	if s.Info == nil {
		return 0
	}
	return min(s.Info.Sent, s.Info.Received)
}

// Subject is something that can be judged by itself.
type Subject struct {
	Name string
	// PID is 0 for what is not one process.
	PID    int32
	Series verdict.Series
}

// Subjects lists what there is to judge: all together, if that is not just one
// process, and each process that was there for long enough.
func (h *History) Subjects() []Subject {
	if h.Len() == 0 {
		return nil
	}
	pids := h.lasting()
	var subjects []Subject
	if all := h.all(); len(pids) != 1 || h.others(pids[0]) {
		subjects = append(subjects, all)
	}
	for _, pid := range pids {
		subjects = append(subjects, h.process(pid))
	}
	return subjects
}

// lasting lists the processes that are there now and were in more than ten
// snapshots, or in more than half of them while they are few.
func (h *History) lasting() []int32 {
	seen := map[int32]int{}
	for _, s := range h.snapshots {
		for _, p := range s.Processes {
			if p.there() {
				seen[p.PID]++
			}
		}
	}
	var pids []int32
	for _, p := range h.Last().Processes {
		if p.PID != 0 && p.there() && 2*seen[p.PID] > min(h.Len(), 20) {
			pids = append(pids, p.PID)
		}
	}
	slices.Sort(pids)
	return pids
}

// there reports whether a process was there, as far as is known. One that has
// ended leaves a row of what came and went, and of what lingers.
func (p Process) there() bool {
	lingers := p.Client.Of(socketstats.TimeWait) + p.Server.Of(socketstats.TimeWait)
	return p.Flow == nil || p.Flow.OpenedPerSecond+p.Flow.ClosedPerSecond > 0 ||
		p.Descriptors > 0 || p.Client.Total()+p.Server.Total() > lingers
}

// others reports whether anything was seen that was not of this process.
func (h *History) others(pid int32) bool {
	return slices.ContainsFunc(h.snapshots, func(s Snapshot) bool {
		return slices.ContainsFunc(s.Processes, func(p Process) bool { return p.PID != pid })
	})
}

// all is all rows as one subject.
func (h *History) all() Subject {
	last := h.Last()
	subject := Subject{Name: "all processes together"}
	if last.Port != 0 {
		subject.Name = fmt.Sprintf("all connections to port %d", last.Port)
	} else if len(last.Processes) > 0 {
		subject.Name = fmt.Sprintf("all %s processes together", last.Processes[0].Name)
	}
	subject.Series = h.series(func(Process) bool { return true })
	h.rebase(&subject.Series, 0)
	return subject
}

func (h *History) process(pid int32) Subject {
	of := func(p Process) bool { return p.PID == pid }
	processes := h.Last().Processes
	label := processes[slices.IndexFunc(processes, of)].Label()
	subject := Subject{Name: label, PID: pid, Series: h.series(of)}
	h.rebase(&subject.Series, pid)
	return subject
}

func (h *History) series(of func(Process) bool) verdict.Series {
	series := verdict.Series{Paired: h.Last().Port != 0}
	epochs := newEpochs(h.Last().Port != 0)
	for _, snap := range h.snapshots {
		sample := verdict.Sample{At: snap.After, Queue: queueOf(snap.Queue), Unknown: snap.Unknown}
		var pids []int32
		for _, p := range snap.Processes {
			if of(p) {
				join(&sample, &series.Limits, p)
				pids = append(pids, p.PID)
			}
		}
		if snap.FlowSource != "" && sample.Flow == nil {
			sample.Flow = &verdict.Flow{}
		}
		sample.Epoch = epochs.next(pids)
		series.Samples = append(series.Samples, sample)
	}
	if epochs.common(len(series.Samples)) {
		for i := range series.Samples {
			series.Samples[i].Epoch = 0
		}
	}
	return series
}

// epochs counts how often all processes were replaced by others.
type epochs struct {
	ignored bool // clients of a port come and go
	now     int
	before  []int32
}

func newEpochs(ignored bool) *epochs { return &epochs{ignored: ignored} }

func (e *epochs) next(pids []int32) int {
	pids = slices.DeleteFunc(pids, func(pid int32) bool { return pid == 0 })
	if len(pids) == 0 || e.ignored {
		return e.now
	}
	if len(e.before) > 0 && !slices.ContainsFunc(pids, func(pid int32) bool { return slices.Contains(e.before, pid) }) {
		e.now++
	}
	e.before = pids
	return e.now
}

// common reports whether processes are replaced so often that it is their way
// of life, and no restart.
func (e *epochs) common(samples int) bool { return 4*e.now > samples }

// join adds a row to a sample.
func join(s *verdict.Sample, limits *socketstats.Limits, p Process) {
	s.Client.Counts = s.Client.Counts.Plus(p.Client)
	s.Server.Counts = s.Server.Counts.Plus(p.Server)
	s.Client.Activity = plus(s.Client.Activity, p.ClientActivity)
	s.Server.Activity = plus(s.Server.Activity, p.ServerActivity)
	if p.Flow != nil {
		if s.Flow == nil {
			s.Flow = &verdict.Flow{}
		}
		s.Flow.Opened += p.Flow.Opened
		s.Flow.Closed += p.Flow.Closed
		s.Flow.WithTCPInfo += p.Flow.WithTCPInfo
		s.Flow.ShortLived += p.Flow.ShortLived
		s.Flow.Inferred += p.Flow.Inferred
	}
	if q := p.Queue; q != nil && (s.Queue == nil || q.Waiting-q.Limit > s.Queue.Waiting-s.Queue.Limit) {
		s.Queue = queueOf(q)
	}
	if p.Descriptors > s.Descriptors {
		s.Descriptors = p.Descriptors
		if p.Limits != nil {
			*limits = *p.Limits
		}
	}
}

func queueOf(q *Queue) *verdict.Queue {
	if q == nil {
		return nil
	}
	return &verdict.Queue{Waiting: q.Waiting, Limit: q.Limit}
}

func plus(a, b *socketstats.Activity) *socketstats.Activity {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	sum := a.Plus(*b)
	return &sum
}

// SubjectVerdict is what each subject of a target shows.
type SubjectVerdict struct {
	Subject
	Verdict verdict.Verdict
}

// Judge judges all subjects. ended says that the processes have.
func (h *History) Judge(ended bool) []SubjectVerdict {
	var list []SubjectVerdict
	for _, s := range h.Subjects() {
		s.Series.Ended = ended
		list = append(list, SubjectVerdict{s, verdict.Diagnose(s.Series)})
	}
	return list
}

// Worst is the judgement that matters most: a leak before none, a process
// before all together if it is the same leak. The list must not be empty.
func Worst(list []SubjectVerdict) SubjectVerdict {
	return slices.MinFunc(list, func(a, b SubjectVerdict) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
}

func rank(j SubjectVerdict) int {
	rank := map[verdict.Confidence]int{verdict.High: 0, verdict.Medium: 2, verdict.Low: 4}[j.Verdict.Confidence]
	switch {
	case !j.Verdict.Leak && j.Verdict.Kind == verdict.Healthy:
		rank = 20
	case !j.Verdict.Leak:
		rank = 10
	}
	if j.PID == 0 {
		rank++
	}
	return rank
}

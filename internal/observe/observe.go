// Package observe samples the sockets of processes that it did not start: of all
// that talk to a server's port, or of some processes whatever they talk to. Each
// process is a subject.
//
// processes.go knows which processes those are and what they hold, port.go and
// process.go whose a socket is, connections.go what came and went between two
// samples. A [Window] keeps the newest samples, to be judged and shown.
package observe

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Options say how a target is watched.
type Options struct {
	// Except is the port of a page of our own, whose connections are not counted;
	// 0 is none.
	Except uint16
	// Details asks for what a verdict needs beside counts: what connections do,
	// and the processes' limits.
	Details bool
}

// Watcher samples a target again and again. It is for one goroutine. Close ends
// it.
type Watcher struct {
	target    series.Target
	details   bool
	source    socketstats.Source
	processes *processes
	sort      sorter
	// conns is what came and went; nil where nothing reports it.
	conns  *connections
	owners socketstats.Owners
	early  earlyScans
	// sockets is the last list, kept for its room.
	sockets []socketstats.Socket
	// began is the time of the first sample, told are the subjects of the last.
	began time.Time
	told  map[string]series.Identity
}

// New returns a watcher of a target. With a port: of the connections to that port of
// this machine. Each process that holds their client ends is a subject, with the
// server ends of its own connections beside. Without: of all TCP sockets of the
// processes that PIDs and Name name. With both: of the clients among these. A
// process is named if it is in PIDs, or has Name (without .exe), also if it starts
// later.
//
// Processes that do not exist, or that this user may not see, are an error. The
// source stays the caller's.
func New(ctx context.Context, source socketstats.Source, target series.Target, o Options) (*Watcher, error) {
	w := &Watcher{target: target, details: o.Details, source: source}
	var err error
	if w.processes, err = findProcesses(ctx, target, o.Details); err != nil {
		return nil, err
	}
	if w.conns, err = openConnections(source, target.Port, o.Details, &w.owners); err != nil {
		return nil, err
	}
	if target.Port != 0 {
		w.sort = &byPort{port: target.Port, processes: w.processes, own: socketstats.OwnAddresses(), traced: w.conns.traced(), holders: holders{ages: o.Details}}
	} else {
		w.sort = &byProcess{
			except: o.Except, details: o.Details, processes: w.processes, own: socketstats.OwnAddresses(),
			destinations: newDestinations(), holders: holders{ages: o.Details},
		}
	}
	return w, nil
}

// Close ends what the watcher listens to.
func (w *Watcher) Close() error { return w.conns.close() }

// Header says what is watched since when, as a recording has it. The time between
// samples, the planned length and the provenance are left to the caller.
func (w *Watcher) Header() series.Header {
	t, started := w.target, w.began
	if started.IsZero() {
		started = time.Now()
	}
	h := series.Header{
		Schema: series.Schema, Title: "Processes under watch", Source: w.source.Name(), UnsupportedStates: w.source.UnsupportedStates(),
		Started: started.Round(0), Target: &t,
	}
	if t.Port != 0 {
		h.Title = fmt.Sprintf("Connections to port %d", t.Port)
	}
	return h
}

// Sample takes one sample. The error is [ErrGone] when there is nothing left to
// watch.
func (w *Watcher) Sample(ctx context.Context) (series.Moment, error) {
	now := time.Now()
	if w.began.IsZero() {
		w.began = now
	}
	m := series.Moment{At: now.Sub(w.began), Clock: now.Round(0), Subjects: []series.SubjectSample{}}
	q, err := w.query(ctx)
	if err != nil {
		return m, err
	}
	if err := w.conns.beforeList(w.sort); err != nil {
		return m, err
	}
	if w.sockets, err = w.source.Sockets(ctx, q); err != nil {
		return m, err
	}
	w.owners.Attribute(w.sockets)
	w.sort.list(w.sockets, m.At)
	rows := w.rows(&m)
	if err := w.conns.afterList(w.sort, w.sockets); err != nil {
		return m, err
	}
	w.conns.enter(rows, &m, w.processes)
	w.early.sampled(m.Unattributed)
	if w.details {
		w.addDetails(rows, &m)
	}
	m.Subjects = w.subjects(rows)
	m.Took = time.Since(now)
	return m, nil
}

// query asks for what the target needs. With a port, the listener's owner is of
// interest too, whoever it is.
func (w *Watcher) query(ctx context.Context) (socketstats.Query, error) {
	// Nobody waits for a sample here, and what it takes is taken from what is
	// watched.
	q := socketstats.Query{Owners: true, Thrifty: true, Into: w.sockets, Info: w.details}
	among, err := w.processes.current(ctx)
	if w.target.Port != 0 {
		q.Ports = []uint16{w.target.Port}
	} else {
		q.OwnersAmong = among
	}
	return q, err
}

// rows are the samples of the processes met so far, by process id; 0 is the row
// of sockets whose process is not known.
type rows map[int32]*series.Sample

func (r rows) of(pid int32) *series.Sample {
	if r[pid] == nil {
		r[pid] = &series.Sample{}
	}
	return r[pid]
}

// rows gives each process the sockets that it holds or held.
func (w *Watcher) rows(m *series.Moment) rows {
	r := rows{}
	if w.target.Port == 0 {
		for _, pid := range w.processes.living {
			r.of(pid)
		}
	}
	for i := range w.sockets {
		s := &w.sockets[i]
		if w.target.Port != 0 && s.State == socketstats.Listen && s.Local.Port() == w.target.Port {
			m.Listeners = append(m.Listeners, w.processes.identity(s.PID).Name)
		}
		if pid, end, ok := w.sort.row(s); ok {
			r.of(pid).Of(end).Counts.Add(s.State)
		}
	}
	slices.Sort(m.Listeners)
	m.Listeners = slices.Compact(m.Listeners)
	return r
}

// addDetails adds to the rows what their connections do, how old they are, and how
// many descriptors the processes have open.
func (w *Watcher) addDetails(r rows, m *series.Moment) {
	w.processes.programs.see(w.sockets, w.sort.row)
	w.addAges(r)
	if socketstats.ReportsInfo(w.source) {
		w.addActivity(r, m)
	}
	for pid, row := range r {
		if pid == 0 {
			continue
		}
		if n := socketstats.Descriptors(pid); n > 0 {
			row.Process = &series.Process{Descriptors: n}
		}
	}
}

func (w *Watcher) addAges(r rows) {
	for i := range w.sockets {
		s := &w.sockets[i]
		if pid, end, ok := w.sort.row(s); ok && end == socketstats.Client && s.State.Open() {
			r[pid].Oldest = max(r[pid].Oldest, w.sort.age(s))
		}
	}
}

func (w *Watcher) addActivity(r rows, m *series.Moment) {
	ends := map[int32]*[2][]socketstats.Socket{}
	for pid := range r {
		ends[pid] = &[2][]socketstats.Socket{}
	}
	for i := range w.sockets {
		s := &w.sockets[i]
		if s.State == socketstats.Listen {
			w.addQueue(r, m, s)
		} else if pid, end, ok := w.sort.row(s); ok {
			ends[pid][end] = append(ends[pid][end], *s)
		}
	}
	for pid, row := range r {
		for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
			activity := socketstats.ActivityOf(ends[pid][end], end)
			row.Of(end).Activity = &activity
		}
	}
}

// addQueue enters a listener's queue, if it is the fullest so far: of the watched
// port, or of the watched process.
func (w *Watcher) addQueue(r rows, m *series.Moment, s *socketstats.Socket) {
	q := &series.Queue{Waiting: int(s.RecvQ), Limit: int(s.SendQ)}
	if pid, _, ok := w.sort.row(s); ok {
		r[pid].Queue = r[pid].Queue.Fuller(q)
	} else if w.target.Port != 0 && s.Local.Port() == w.target.Port {
		m.Queue = m.Queue.Fuller(q)
	}
}

// subjects are the rows by the names of their processes; that of no process comes
// last.
func (w *Watcher) subjects(r rows) []series.SubjectSample {
	list := make([]series.SubjectSample, 0, len(r))
	told := make(map[string]series.Identity, len(r))
	for pid, row := range r {
		id := w.processes.identity(pid)
		told[id.ID] = id
		s := series.SubjectSample{ID: id.ID, Sample: *row}
		if before, ok := w.told[id.ID]; !ok || before != id {
			s.Identity = &id
		}
		list = append(list, s)
	}
	w.told = told
	slices.SortFunc(list, func(a, b series.SubjectSample) int {
		x, y := told[a.ID], told[b.ID]
		if (x.PID == 0) != (y.PID == 0) {
			return cmp.Compare(y.PID, x.PID)
		}
		return cmp.Or(strings.Compare(x.Name, y.Name), cmp.Compare(x.PID, y.PID))
	})
	return list
}

// Listed returns the sockets of the last sample that are in a state, or open if
// it is 0: first those that have said nothing for the longest. With a port they
// are those of the clients, where they are here.
func (w *Watcher) Listed(state socketstats.State) []socketstats.Socket {
	var ends [2][]socketstats.Socket
	for i := range w.sockets {
		s := &w.sockets[i]
		if _, end, ok := w.sort.row(s); ok && (s.State == state || (state == 0 && s.State.Open())) {
			ends[end] = append(ends[end], *s)
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

// ListedTwice is how many of the sockets that Listed returns are the server's end of a
// connection whose client's end is among them, too.
func (w *Watcher) ListedTwice(state socketstats.State) int {
	listed, twice := map[[2]netip.AddrPort]bool{}, 0
	for _, s := range w.Listed(state) {
		if listed[[2]netip.AddrPort{s.Remote, s.Local}] {
			twice++
		}
		listed[[2]netip.AddrPort{s.Local, s.Remote}] = true
	}
	return twice
}

func silence(s socketstats.Socket) time.Duration {
	if s.Info == nil {
		return 0
	}
	return min(s.Info.Sent, s.Info.Received)
}

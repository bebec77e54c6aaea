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
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	options   Options
	source    socketstats.Source
	own       socketstats.Addresses
	processes *processes
	// views are the network namespaces of the watched processes.
	views []*view
	// elsewhere are namespaces that should have a view, and why they have none.
	elsewhere []string
	// looked is when other namespaces were looked for.
	looked time.Time
	conns  *connections
	// hears says that some view has ears, and untraced that none has a trace.
	hears, untraced bool
	descriptors     socketstats.DescriptorTable
	// rowsByPID are the rows of each process in the newest sample.
	rowsByPID map[int32][]row
	// inherited are the sockets, by inode, that a child holds and an ancestor does
	// not any more.
	inherited map[uint32]bool
	early     earlyScans
	// began is the time of the first sample, told are the subjects of the last.
	began time.Time
	told  map[string]series.Identity
}

// New returns a watcher of a target. With a port: of the connections to that port of
// this machine, in our network namespace and in each other one that has some. Each
// process that holds their client ends is a subject, with the server ends of its own
// connections beside. Without: of all TCP sockets of the processes that the target
// names, each with its children as one subject, in whatever network namespace they
// are. With both: of the clients among these. A process that is not named by its id
// is watched also if it starts later.
//
// Processes that do not exist, or that this user may not see, are an error. The
// source stays the caller's.
func New(ctx context.Context, source socketstats.Source, target series.Target, o Options) (*Watcher, error) {
	w := &Watcher{
		target: target, options: o, source: source, own: socketstats.OwnAddresses(), untraced: target.All, inherited: map[uint32]bool{},
	}
	var err error
	if w.processes, err = findProcesses(target, o.Details); err != nil {
		return nil, err
	}
	w.conns = &connections{account: w.processes.root}
	w.processes.round++ // so that what follows is of the time before the first sample
	if err := w.place(w.processes.living, time.Now()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.descriptors.Scan(w.processes.living)
	return w, ctx.Err()
}

// Close ends what the watcher listens to.
func (w *Watcher) Close() error {
	var errs []error
	for _, v := range w.views {
		errs = append(errs, v.close())
	}
	w.views = nil
	return errors.Join(errs...)
}

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
	for _, v := range w.views {
		if name := v.source.Name(); !strings.Contains(h.Source, name) {
			h.Source += ", " + name
		}
	}
	if t.Port != 0 {
		h.Title = fmt.Sprintf("Connections to port %d", t.Port)
	}
	return h
}

// Sample takes one sample. The error is [ErrGone] when there is nothing left to
// watch.
func (w *Watcher) Sample(ctx context.Context) (series.Moment, error) {
	started := time.Now()
	members, err := w.processes.current(ctx)
	if err != nil {
		return series.Moment{}, err
	}
	if err := w.place(members, started); err != nil {
		return series.Moment{}, err
	}
	now := time.Now()
	if w.began.IsZero() {
		w.began = now
	}
	m := series.Moment{At: now.Sub(w.began), Clock: now.Round(0), Subjects: []series.SubjectSample{}}
	for _, v := range w.views {
		if err := w.conns.beforeList(v); err != nil {
			return m, err
		}
		if mayMeet := w.target.Port != 0 || w.descriptors.UsesMPTCP(); mayMeet && !v.multipath {
			v.multipath = socketstats.MetMPTCP(v.through)
		}
		if err := v.list(ctx, w.query(v)); err != nil && (!v.foreign || !errors.Is(err, fs.ErrNotExist)) {
			return m, err
		} // it is read through a process that has just ended
	}
	w.findOwners(m.At)
	r := w.rows(&m)
	for _, v := range w.views {
		if err := w.conns.afterList(v); err != nil {
			return m, err
		}
	}
	w.conns.alive(w.views)
	w.conns.enter(r, &m, w.views, w.unheard())
	w.early.sampled(m.Unattributed)
	if w.options.Details {
		if err := w.addDetails(ctx, r, &m); err != nil {
			return m, err
		}
	}
	m.Unseen = append(w.processes.notSeen(), w.elsewhere...)
	m.Subjects = w.subjects(r)
	m.Took = time.Since(started)
	return m, nil
}

// query asks for what the target needs of a namespace. With a port, the listener's
// owner is of interest too, whoever it is.
func (w *Watcher) query(v *view) socketstats.Query {
	// Nobody waits for a sample here, and what it takes is taken from what is
	// watched.
	q := socketstats.Query{Owners: true, Thrifty: true, Info: w.options.Details}
	switch {
	case w.target.Port != 0:
		q.Ports = []uint16{w.target.Port}
	case socketstats.ReportsInodes(v.source):
		q.Owners = false // see findOwners
	default:
		q.OwnersAmong = w.processes.living
	}
	return q
}

// findOwners gives every listed socket its owner: by the descriptors of the watched
// processes, where these are known, or else by the source.
func (w *Watcher) findOwners(at time.Duration) {
	if w.target.Port == 0 {
		w.descriptors.Scan(w.processes.living)
	}
	for _, v := range w.views {
		if w.target.Port == 0 && socketstats.ReportsInodes(v.source) {
			for i := range v.sockets {
				if s := &v.sockets[i]; s.Inode != 0 {
					s.PID = w.descriptors.PID(s.Inode)
				}
			}
		}
		if w.options.Details {
			v.findLingering()
		}
		v.owners.Attribute(v.sockets)
		v.sort.list(v.sockets, at)
	}
}

// unheard are the subjects of which a process is in a namespace whose source does not
// report what came and went.
func (w *Watcher) unheard() map[int32]bool {
	deaf := map[uint32]bool{}
	for _, v := range w.views {
		if v.ears == nil {
			deaf[v.namespace] = true
		}
	}
	subjects := map[int32]bool{}
	if len(deaf) > 0 {
		for _, it := range w.processes.known {
			if it.root != 0 && deaf[it.namespace] {
				subjects[it.root] = true
			}
		}
	}
	return subjects
}

// rows are the samples of the subjects and their processes; that of process 0 is of
// the sockets whose process is not known.
type rows map[row]*series.Sample

func (r rows) of(of row) *series.Sample {
	if r[of] == nil {
		r[of] = &series.Sample{}
	}
	return r[of]
}

// rowsOf are the rows in which a socket of a process is counted: that of the subject,
// and that of the process if the subject has several.
func (w *Watcher) rowsOf(pid int32) []row {
	if list, ok := w.rowsByPID[pid]; ok {
		return list
	}
	root := w.processes.root(pid)
	list := []row{{pid: root}}
	if root != 0 && len(w.processes.members(root)) > 1 && w.processes.watchedNow(pid) {
		list = append(list, row{pid: pid, part: true})
	}
	w.rowsByPID[pid] = list
	return list
}

// rows gives each process the sockets that it holds or held.
func (w *Watcher) rows(m *series.Moment) rows {
	r := rows{}
	w.rowsByPID = map[int32][]row{}
	if w.target.Port == 0 {
		for _, pid := range w.processes.living {
			for _, of := range w.rowsOf(pid) {
				r.of(of)
			}
		}
	}
	for _, v := range w.views {
		if w.options.Details {
			v.findServer(w.target.Port, w.processes)
		}
		for i := range v.sockets {
			s := &v.sockets[i]
			if w.target.Port != 0 && s.State == socketstats.Listen && s.Local.Port() == w.target.Port {
				m.Listeners = append(m.Listeners, w.processes.nameOf(s.PID))
			}
			if of, ok := v.served(s); ok {
				r.of(of).Server.Counts.Add(s.State)
				if s.State.Open() && v.sort.(*byPort).has(s.Remote, s.Local) {
					r[of].PeersHere++
				}
			}
			pid, end, ok := v.sort.row(s)
			if !ok {
				continue
			}
			for _, of := range w.rowsOf(pid) {
				sample := r.of(of)
				sample.Of(end).Counts.Add(s.State)
				if s.State == socketstats.FinWait2 && s.Inode != 0 && !s.Minisock {
					sample.FinWait2Held++
				}
			}
			if v.foreign {
				if it := w.processes.known[pid]; it != nil {
					it.namespace = v.namespace
				}
			}
		}
	}
	slices.Sort(m.Listeners)
	m.Listeners = slices.Compact(m.Listeners)
	return r
}

// addDetails adds to the rows what their connections do, how old they are, and what
// the processes have open and use.
func (w *Watcher) addDetails(ctx context.Context, r rows, m *series.Moment) error {
	for _, v := range w.views {
		w.processes.programs.see(v.namespace, v.sockets, v.sort.row, func(pid int32) int32 { return pid })
		if w.processes.trees() { // what children do is done by the subject
			w.processes.programs.see(v.namespace, v.sockets, v.sort.row, w.processes.root)
		}
		w.addActivity(v, r, m)
	}
	w.processes.programs.seeOpened(r)
	return w.addProcesses(ctx, r)
}

// ended is one end of a row's connections.
type ended struct {
	of  row
	end socketstats.End
}

func (w *Watcher) addActivity(v *view, r rows, m *series.Moment) {
	reported := socketstats.ReportsInfo(v.source)
	sockets, ages := map[ended][]socketstats.Socket{}, map[ended]*socketstats.Silence{}
	dead := map[uint16]int{}
	for i := range v.sockets {
		s := &v.sockets[i]
		if s.State == socketstats.CloseWait && s.Inode == 0 {
			dead[s.Local.Port()]++
		}
		if of, ok := v.served(s); ok && reported && s.State != socketstats.Listen {
			sockets[ended{of, socketstats.Server}] = append(sockets[ended{of, socketstats.Server}], *s)
		}
		pid, end, ok := v.sort.row(s)
		if !ok || s.State == socketstats.Listen {
			continue
		}
		var seen, age time.Duration
		if s.State.Open() {
			seen = v.sort.age(s)
			age = atLeast(seen, s.Info)
		}
		for _, of := range w.rowsOf(pid) {
			if end == socketstats.Client && s.State.Open() {
				r[of].Oldest = max(r[of].Oldest, seen)
				w.addInherited(r[of], s)
			}
			if !reported {
				continue
			}
			key := ended{of, end}
			sockets[key] = append(sockets[key], *s)
			if s.State.Open() {
				if ages[key] == nil {
					ages[key] = &socketstats.Silence{}
				}
				ages[key].Add(age)
			}
		}
	}
	if !reported {
		return
	}
	for of, sample := range r {
		for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
			key := ended{of, end}
			activity := socketstats.ActivityOf(sockets[key], end)
			if ages[key] != nil {
				activity.Ages = *ages[key]
			}
			if before := sample.Of(end).Activity; before != nil { // of another namespace
				activity = activity.Plus(*before)
			}
			sample.Of(end).Activity = &activity
		}
	}
	for i := range v.sockets {
		if s := &v.sockets[i]; s.State == socketstats.Listen {
			w.addQueue(v, r, m, s, dead[s.Local.Port()])
		}
	}
}

// atLeast is how long a socket has been there at least: as the lists show, or as the
// kernel knows since it last said anything.
func atLeast(seen time.Duration, info *socketstats.Info) time.Duration {
	if info == nil {
		return seen
	}
	return max(seen, info.Sent, info.Received)
}

// addInherited enters a socket if only a descendant of a process still holds it.
func (w *Watcher) addInherited(sample *series.Sample, s *socketstats.Socket) {
	if s.Inode == 0 {
		return
	}
	holders := w.descriptors.Holders(s.Inode)
	before := w.descriptors.HeldBefore(s.Inode)
	if before != 0 && len(holders) > 0 && !slices.Contains(holders, before) {
		w.inherited[s.Inode] = w.processes.descends(holders[0], before)
	}
	if _, known := w.inherited[s.Inode]; !known && len(holders) > 0 && s.Info != nil {
		w.inherited[s.Inode] = w.processes.startedAfter(holders[0], min(s.Info.Sent, s.Info.Received))
	}
	if w.inherited[s.Inode] {
		sample.Inherited++
	}
}

// addQueue enters a listener's queue, if it is the fullest so far: of the watched
// port, or of the watched process.
func (w *Watcher) addQueue(v *view, r rows, m *series.Moment, s *socketstats.Socket, dead int) {
	q := &series.Queue{Waiting: int(s.RecvQ), Limit: int(s.SendQ), Dead: dead}
	if pid, _, ok := v.sort.row(s); ok {
		for _, of := range w.rowsOf(pid) {
			r[of].Queue = r[of].Queue.Fuller(q)
		}
	} else if of, ok := v.served(s); ok {
		r[of].Queue = r[of].Queue.Fuller(q)
	} else if w.target.Port != 0 && s.Local.Port() == w.target.Port {
		m.Queue = m.Queue.Fuller(q)
	}
}

// addProcesses adds what the processes of each row have open and use.
func (w *Watcher) addProcesses(ctx context.Context, r rows) error {
	if w.target.Port != 0 {
		var pids []int32
		for of := range r {
			if of.pid != 0 {
				pids = append(pids, w.membersOf(of)...)
			}
		}
		slices.Sort(pids)
		w.descriptors.Scan(slices.Compact(pids))
	}
	for inode := range w.inherited {
		if len(w.descriptors.Holders(inode)) == 0 {
			delete(w.inherited, inode)
		}
	}
	kernel, err := w.kernelRows(ctx)
	if err != nil {
		return err
	}
	for of, sample := range r {
		if of.pid == 0 {
			continue
		}
		var p series.Process
		members := w.membersOf(of)
		for _, pid := range members {
			use := w.processes.usage(pid)
			p.Threads, p.CPU, p.Wakeups = p.Threads+use.Threads, p.CPU+use.CPU, p.Wakeups+use.Wakeups
			p.Descriptors = max(p.Descriptors, w.descriptors.Count(pid))
		}
		if len(members) > 1 {
			p.Processes = len(members)
		}
		if p.Kinds = w.descriptors.Kinds(members, kernel); p.Threads > 0 || p.Descriptors > 0 {
			sample.Process = &p
		}
	}
	return nil
}

func (w *Watcher) membersOf(of row) []int32 {
	if of.serves {
		for _, v := range w.views {
			if v.server == of.pid {
				return slices.Sorted(maps.Keys(v.servers))
			}
		}
	}
	if of.part || w.processes.any() {
		return []int32{of.pid}
	}
	return w.processes.members(of.pid)
}

// kernelRows are the sockets of all namespaces, by inode.
func (w *Watcher) kernelRows(ctx context.Context) (*socketstats.Rows, error) {
	rows := &socketstats.Rows{TCP: map[uint32]socketstats.State{}, MPTCP: map[uint32]socketstats.State{}, UnixListeners: map[uint32]bool{}}
	for _, v := range w.views {
		rows.Add(v.sockets)
		if w.target.Port != 0 && w.descriptors.Misses(rows) { // these are only those of the port
			q := socketstats.Query{Thrifty: true, Multipath: v.multipath}
			for _, s := range socketstats.States() {
				if s != socketstats.TimeWait { // which has no descriptor
					q.States = append(q.States, s)
				}
			}
			every, err := v.source.Sockets(ctx, q)
			if err != nil {
				return nil, err
			}
			rows.Add(every)
		}
		listeners, err := socketstats.UnixListeners(ctx, v.source)
		if err != nil {
			return nil, err
		}
		maps.Copy(rows.UnixListeners, listeners)
	}
	return rows, nil
}

// subjects are the rows by the names of their subjects, each followed by its
// processes; that of no process comes last.
func (w *Watcher) subjects(r rows) []series.SubjectSample {
	list := make([]series.SubjectSample, 0, len(r))
	told := make(map[string]series.Identity, len(r))
	roots := make(map[string]series.Identity, len(r))
	for of, sample := range r {
		id := w.processes.identity(of)
		told[id.ID], roots[id.ID] = id, id
		if of.part {
			roots[id.ID] = w.processes.identity(row{pid: w.processes.root(of.pid)})
		}
		s := series.SubjectSample{ID: id.ID, Sample: *sample}
		if before, ok := w.told[id.ID]; !ok || before != id {
			s.Identity = &id
		}
		list = append(list, s)
	}
	w.told = told
	slices.SortFunc(list, func(a, b series.SubjectSample) int {
		x, y := roots[a.ID], roots[b.ID]
		if (x.PID == 0) != (y.PID == 0) {
			return cmp.Compare(y.PID, x.PID)
		}
		return cmp.Or(
			strings.Compare(x.Name, y.Name), cmp.Compare(x.PID, y.PID), strings.Compare(told[a.ID].Parent, told[b.ID].Parent),
			cmp.Compare(told[a.ID].PID, told[b.ID].PID),
		)
	})
	return list
}

// Listed returns the sockets of the last sample that are in a state, or open if
// it is 0: first those that have said nothing for the longest. With a port they
// are those of the clients, where they are here.
func (w *Watcher) Listed(state socketstats.State) []socketstats.Socket {
	var ends [2][]socketstats.Socket
	for _, v := range w.views {
		for i := range v.sockets {
			s := &v.sockets[i]
			if v.lists(s, state) {
				_, end, _ := v.sort.row(s)
				ends[end] = append(ends[end], *s)
			}
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

// ListedKind returns a line for each socket of a kind of UDP or AF_UNIX that the
// watched processes have open, with its peer.
func (w *Watcher) ListedKind(ctx context.Context, kind string) []string {
	type held struct {
		socketstats.OtherSocket
		pid int32
	}
	var list []held
	var peers []uint32
	for _, v := range w.views {
		sockets, err := socketstats.OtherSockets(ctx, v.source)
		if err != nil {
			continue // it is said how many there are
		}
		for _, s := range sockets {
			if holders := w.descriptors.Holders(s.Inode); s.Kind == kind && len(holders) > 0 {
				list = append(list, held{s, holders[0]})
				peers = append(peers, s.Peer)
			}
		}
	}
	owners := socketstats.OwnersOf(peers)
	lines := make([]string, 0, len(list))
	for _, s := range list {
		line := cmp.Or(s.Name, "without a name")
		if s.Kind == socketstats.KindUDP {
			line = s.Local.String()
			if s.Remote.IsValid() {
				line += " -> " + s.Remote.String()
			}
		}
		if pid := owners[s.Peer]; s.Peer != 0 && pid != 0 {
			line += fmt.Sprintf(" -> process %d", pid)
		}
		lines = append(lines, fmt.Sprintf("%s, process %d", printable(line), s.pid))
	}
	slices.Sort(lines)
	return lines
}

// ListedTwice is how many of the sockets that Listed returns are the server's end of a
// connection whose client's end is among them, too.
func (w *Watcher) ListedTwice(state socketstats.State) int {
	twice := 0
	for _, v := range w.views {
		if w.target.Port != 0 {
			break // then one end is listed
		}
		listed := map[pair]bool{}
		for i := range v.sockets {
			if s := &v.sockets[i]; v.lists(s, state) {
				if listed[pairOf(s.Remote, s.Local)] {
					twice++
				}
				listed[pairOf(s.Local, s.Remote)] = true
			}
		}
	}
	return twice
}

// lists reports whether a socket is counted and in a state, or open if that is 0.
func (v *view) lists(s *socketstats.Socket, state socketstats.State) bool {
	_, _, ok := v.sort.row(s)
	return ok && (s.State == state || (state == 0 && s.State.Open()))
}

func silence(s socketstats.Socket) time.Duration {
	if s.Info == nil {
		return 0
	}
	return min(s.Info.Sent, s.Info.Received)
}

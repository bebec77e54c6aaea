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
	"net/netip"
	"slices"
	"strings"
	"time"

	"socketlab/internal/runtimes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	_ "socketlab/internal/taskfiles" // reads descriptors where there are many
)

// Options say how a target is watched.
type Options struct {
	// Except is the port of a page of our own, whose connections are not counted;
	// 0 is none.
	Except uint16
	// Details asks for what a verdict needs beside counts: what connections do,
	// and the processes' limits.
	Details bool
	// Thrifty says that what most likely is as before is not looked at again in every
	// sample: the descriptors of a process that has as many of them as before, while there
	// is no new socket of TCP and none of its own is gone. What else a process has in place of
	// another descriptor is seen in the twentieth sample at the latest.
	Thrifty bool
	// TraceBuffer is the size in bytes of the kernel's buffer, which all network namespaces
	// that are traced share; 0 is that of package tracepoint.
	TraceBuffer int
	// Waits says that a target without a process, or of which this user may see none, is
	// no error: it is waited for.
	Waits bool
	// OwnNamespace says that only processes in our network namespace are watched, of those
	// that the target names by their traits or by a port.
	OwnNamespace bool
	// Admits decides, of the processes that the target names by their traits, which are
	// watched, by the control group; nil is all. It is asked again until a process is.
	Admits func(socketstats.Cgroup) bool
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
	// apart are namespaces where the port is another service's.
	apart []string
	// joined are the namespaces between which connections to the port were seen, or from which
	// they went to the same address: each has another one of the same service, up to the first.
	joined map[uint32]uint32
	// looked is when other namespaces were looked for, and looking how long that took.
	looked  time.Time
	looking time.Duration
	conns   *connections
	// hears says that some view has ears, and untraced that none has a trace.
	hears, untraced bool
	deaf            string
	descriptors     socketstats.DescriptorTable
	// rowsByPID are the rows of each process in the newest sample.
	rowsByPID map[int32][]row
	// sockets are those of the newest sample by inode, kept for their room.
	sockets   socketstats.Rows
	inherited inheritance
	// orphans are the inodes of the listed sockets that no process was found to hold, of
	// a thrifty watcher.
	orphans map[uint32]bool
	// said are the values of the last sample that many samples have alike.
	said  alike
	kept  kept
	early earlyScans
	// transactions are those of this sample that backends says wait for their next
	// statement; nil until they are asked for.
	backends     runtimes.Backends
	transactions map[netip.AddrPort]bool
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
		target: target, options: o, source: source, own: socketstats.OwnAddresses(), untraced: target.All,
	}
	err := socketstats.Spare()
	if err == nil {
		w.processes, err = findProcesses(target, o)
	}
	if err != nil {
		return nil, err
	}
	w.conns = &connections{account: w.account}
	w.processes.round++ // so that what follows is of the time before the first sample
	if err := errors.Join(w.place(w.processes.living, time.Now()), socketstats.Spare()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.descriptors.Scan(w.processes.living)
	return w, ctx.Err()
}

// Deaf says why less is heard of what comes and goes between two samples than this user
// may hear: too few descriptors are left. It is "" where that is not so.
func (w *Watcher) Deaf() string { return w.deaf }

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
	if err := socketstats.Spare(); err != nil {
		return series.Moment{}, err
	}
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
		if w.target.Port != 0 || w.descriptors.UsesMPTCP() {
			v.meetMultipath()
		}
		if err := v.list(ctx, w.query(v)); err != nil && !v.ended(err) {
			return m, err
		}
	}
	r, same := w.keptRows(&m)
	if !same {
		began := time.Now()
		w.findOwners(m.At)
		r = w.rows(&m)
		if !w.options.Details { // with them the rows are made anew each time: see who
			w.keep(r, &m, began)
		}
	}
	for _, v := range w.views {
		if err := w.conns.afterList(v); err != nil {
			return m, err
		}
	}
	if !same || w.kept.events != w.events() {
		w.conns.alive(w.views)
	}
	w.conns.enter(r, &m, w.views, w.unheard())
	for _, v := range w.views {
		if v.live != nil {
			m.Repaired += v.live.Repaired()
		}
	}
	w.early.sampled(m.Unattributed)
	if w.options.Details {
		if err := w.addDetails(ctx, r, &m); err != nil {
			return m, err
		}
	}
	if err := w.dropEnded(r); err != nil {
		return m, err
	}
	m.Unseen = append(w.processes.notSeen(), w.elsewhere...)
	m.Apart, m.Services = w.apart, w.services()
	m.Subjects = w.subjects(r)
	m.Took = time.Since(started)
	return m, nil
}

// dropEnded takes out the rows of what has ended while it was looked at. The error is [ErrGone]
// as it would have been had it ended before.
func (w *Watcher) dropEnded(r rows) error {
	if w.options.Thrifty {
		return nil
	}
	ended := w.processes.endSome()
	if len(ended) == 0 {
		return nil
	}
	if p := w.processes; len(p.living) == 0 && !p.waits && !p.byTraits() {
		return ErrGone
	}
	for of := range r {
		gone := of.part && slices.Contains(ended, of.pid)
		if it := w.processes.known[of.pid]; it != nil && !of.part && !of.serves {
			gone = it.root != 0 && w.processes.root(of.pid) == 0
		}
		if gone {
			delete(r, of)
		}
	}
	return nil
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
	if w.options.Details || w.options.Thrifty {
		w.listInodes()
	}
	if w.target.Port == 0 {
		w.scan()
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
		w.adoptHeirs(v)
	}
}

// listInodes enters the listed sockets by their inodes.
func (w *Watcher) listInodes() {
	n := 0
	for _, v := range w.views {
		n += len(v.sockets)
	}
	w.sockets.Clear(n)
	for _, v := range w.views {
		w.sockets.Add(v.sockets)
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

// rowsOf are the rows in which a socket of a process in a namespace is counted: that of the subject,
// and that of the process if the subject has several.
func (w *Watcher) rowsOf(pid int32, namespace uint32) []row {
	list, ok := w.rowsByPID[pid]
	switch {
	case len(list) > 0:
		return list
	case ok:
		return []row{w.account(0, namespace)}
	}
	root := w.processes.root(pid)
	if root == 0 {
		w.rowsByPID[pid] = nil
		return []row{w.account(0, namespace)}
	}
	list = []row{{pid: root}}
	if len(w.processes.members(root)) > 1 && w.processes.there(pid) {
		list = append(list, row{pid: pid, part: true})
	}
	w.rowsByPID[pid] = list
	return list
}

// account is the row of a subject whose process has, or had, sockets in a namespace.
func (w *Watcher) account(pid int32, namespace uint32) row {
	root := w.processes.root(pid)
	if root != 0 || w.target.Port == 0 {
		return row{pid: root}
	}
	if it := w.processes.known[pid]; it != nil && namespace == 0 {
		namespace = it.namespace // it has ended
	}
	if namespace == w.processes.ours {
		namespace = 0
	}
	return row{namespace: namespace}
}

// rows gives each process the sockets that it holds or held.
func (w *Watcher) rows(m *series.Moment) rows {
	r := rows{}
	w.rowsByPID = map[int32][]row{}
	if w.target.Port == 0 {
		for _, pid := range w.processes.living {
			for _, of := range w.rowsOf(pid, 0) {
				r.of(of)
			}
		}
	}
	for _, v := range w.views {
		if w.options.Details {
			v.findServer(w.target.Port, w.processes)
		}
		samples := map[int32][]*series.Sample{} // of the rows of each process
		for i := range v.sockets {
			s := &v.sockets[i]
			if w.target.Port != 0 && s.State == socketstats.Listen && s.Local.Port() == w.target.Port {
				m.Listeners = append(m.Listeners, w.processes.nameOf(s.PID))
			}
			if of, ok := v.served(s); ok {
				r.of(of).Server.Counts.Add(s)
				if s.Open() && v.sort.(*byPort).has(s.Remote, s.Local) {
					r[of].PeersHere++
				}
			}
			pid, end, ok := v.sort.row(s)
			if !ok {
				continue
			}
			if samples[pid] == nil {
				for _, of := range w.rowsOf(pid, v.namespace) {
					samples[pid] = append(samples[pid], r.of(of))
				}
			}
			for _, sample := range samples[pid] {
				sample.Of(end).Counts.Add(s)
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

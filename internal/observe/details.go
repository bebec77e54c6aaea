package observe

import (
	"context"
	"maps"
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// addDetails adds to the rows what their connections do, how old they are, and what
// the processes have open and use.
func (w *Watcher) addDetails(ctx context.Context, r rows, m *series.Moment) error {
	w.transactions = nil
	if w.target.Port != 0 {
		w.scanRows(r)
	}
	for _, v := range w.views {
		w.processes.programs.see(v.namespace, v.sockets, v.sort.row, func(pid int32) int32 { return pid })
		if w.processes.trees() { // what children do is done by the subject
			w.processes.programs.see(v.namespace, v.sockets, v.sort.row, w.processes.root)
		}
		w.addActivity(v, r, m)
	}
	w.forgetInherited()
	w.said.forget(r)
	w.findMain(r)
	w.processes.programs.seeOpened(r)
	return w.addProcesses(ctx, r)
}

// scanRows reads the descriptors of the processes of all rows.
func (w *Watcher) scanRows(r rows) {
	var pids []int32
	for of := range r {
		if of.pid != 0 {
			pids = append(pids, w.membersOf(of)...)
		}
	}
	slices.Sort(pids)
	w.descriptors.Scan(slices.Compact(pids))
}

// findMain finds the processes that do the work of subjects: by the sockets that they
// have opened or accepted, or else by their descriptors.
func (w *Watcher) findMain(r rows) {
	if !w.processes.trees() {
		return
	}
	roots, opened := map[int32]bool{}, map[int32]int{}
	for of := range r {
		if of.pid != 0 && !of.part && !of.serves {
			roots[of.pid] = true
		}
	}
	sockets := map[int32]int{} // by root
	for _, v := range w.views {
		for i := range v.sockets {
			s := &v.sockets[i]
			pid, _, ok := v.sort.row(s)
			if !ok || pid == 0 {
				continue
			}
			if from := w.inherited.from[s.Inode]; from != 0 {
				pid = from
			}
			opened[pid]++
			sockets[w.processes.root(pid)]++
		}
	}
	w.processes.findMain(roots, func(pid int32) int {
		if sockets[w.processes.root(pid)] > 0 {
			return opened[pid]
		}
		return w.descriptors.Count(pid)
	})
}

// ended is one end of a row's connections.
type ended struct {
	of  row
	end socketstats.End
}

// tally counts what the connections of one end of a row do.
type tally struct {
	sample *series.Sample // the row's
	count  socketstats.ActivityCount
	ages   socketstats.Silence
}

// tallies are those of a sample in one network namespace.
type tallies struct {
	w         *Watcher
	r         rows
	namespace uint32
	by        map[ended]*tally
	// byProcess saves looking for them: with thousands of sockets that is most of the work.
	byProcess map[int32]*[2][]*tally
}

func (t *tallies) of(key ended) *tally {
	if t.by[key] == nil {
		t.by[key] = &tally{sample: t.r[key.of], count: socketstats.ActivityCount{End: key.end}}
	}
	return t.by[key]
}

// ofProcess are those of the rows in which the sockets of a process are counted.
func (t *tallies) ofProcess(pid int32, end socketstats.End) []*tally {
	both := t.byProcess[pid]
	if both == nil {
		both = new([2][]*tally)
		t.byProcess[pid] = both
	}
	if both[end] == nil {
		for _, of := range t.w.rowsOf(pid, t.namespace) {
			both[end] = append(both[end], t.of(ended{of, end}))
		}
	}
	return both[end]
}

func (w *Watcher) addActivity(v *view, r rows, m *series.Moment) {
	reported := socketstats.ReportsInfo(v.source)
	all := tallies{w: w, r: r, namespace: v.namespace, by: map[ended]*tally{}, byProcess: map[int32]*[2][]*tally{}}
	dead := map[uint16]int{}
	for i := range v.sockets {
		s := &v.sockets[i]
		if s.State == socketstats.CloseWait && s.Inode == 0 {
			dead[s.Local.Port()]++
		}
		if of, ok := v.served(s); ok && reported && s.State != socketstats.Listen {
			all.of(ended{of, socketstats.Server}).count.Add(s)
		}
		pid, end, ok := v.sort.row(s)
		if !ok || s.State == socketstats.Listen {
			continue
		}
		inTransaction := end == socketstats.Client && w.inTransaction(v, s)
		var seen, age time.Duration
		if s.State.Open() {
			seen = v.sort.age(s)
			age = atLeast(seen, s.Info)
		}
		for _, t := range all.ofProcess(pid, end) {
			if end == socketstats.Client && s.State.Open() {
				t.sample.Oldest = max(t.sample.Oldest, seen)
				w.addInherited(v, t.sample, s)
				if inTransaction {
					t.sample.InTransaction++
				}
			}
			if !reported {
				continue
			}
			t.count.Add(s)
			if s.Open() {
				t.ages.Add(age)
			}
		}
	}
	if !reported {
		return
	}
	for of, sample := range r {
		for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
			key := ended{of, end}
			var activity socketstats.Activity
			if t := all.by[key]; t != nil {
				activity = t.count.Activity()
				activity.Ages = t.ages
			}
			if before := sample.Of(end).Activity; before != nil { // of another namespace
				activity = activity.Plus(*before)
			}
			sample.Of(end).Activity = w.said.activity(key, activity)
		}
	}
	for i := range v.sockets {
		if s := &v.sockets[i]; s.State == socketstats.Listen {
			w.addQueue(v, r, m, s, dead[s.Local.Port()])
		}
	}
}

// inTransaction reports whether a client's end has been silent for long while its
// database waits for the next statement of a transaction.
func (w *Watcher) inTransaction(v *view, s *socketstats.Socket) bool {
	if s.State != socketstats.Established || silence(*s) < socketstats.HeldFor || w.processes.programs.listener(s, v.namespace, v.sockets).protocol != "postgres" {
		return false
	}
	if w.transactions == nil {
		w.transactions = w.backends.IdleInTransaction()
	}
	return w.transactions[s.Local]
}

// atLeast is how long a socket has been there at least: as the lists show, or as the
// kernel knows since it last said anything.
func atLeast(seen time.Duration, info *socketstats.Info) time.Duration {
	if info == nil {
		return seen
	}
	return max(seen, info.Sent, info.Received)
}

// addQueue enters a listener's queue, if it is the fullest so far: of the watched
// port, or of the watched process.
func (w *Watcher) addQueue(v *view, r rows, m *series.Moment, s *socketstats.Socket, dead int) {
	q := &series.Queue{Waiting: int(s.RecvQ), Limit: int(s.SendQ), Dead: dead}
	if pid, _, ok := v.sort.row(s); ok {
		for _, of := range w.rowsOf(pid, v.namespace) {
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
			if it := w.processes.known[pid]; it != nil && !w.conns.ledger.HearsOpened && w.processes.follows() {
				p.UnseenChildren += w.processes.unseenChildren(it)
			}
		}
		if len(members) > 1 {
			p.Processes = len(members)
		}
		if p.Kinds = w.said.kindsOf(of, w.descriptors.Kinds(members, kernel)); p.Threads > 0 || p.Descriptors > 0 {
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
	if of.part {
		return []int32{of.pid}
	}
	return w.processes.members(of.pid)
}

// kernelRows are the sockets of all namespaces, by inode.
func (w *Watcher) kernelRows(ctx context.Context) (*socketstats.Rows, error) {
	rows := &w.sockets
	for _, v := range w.views {
		if w.target.Port != 0 && w.descriptors.Misses(rows) { // these are only those of the port
			q := socketstats.Query{Thrifty: true, Multipath: v.multipath}
			for _, s := range socketstats.States() {
				if s != socketstats.TimeWait { // which has no descriptor
					q.States = append(q.States, s)
				}
			}
			every, err := v.source.Sockets(ctx, q)
			if err != nil && !v.ended(err) {
				return nil, err
			}
			rows.Add(every)
		}
		listeners, err := socketstats.UnixListeners(ctx, v.source)
		if err != nil && !v.ended(err) {
			return nil, err
		}
		maps.Copy(rows.UnixListeners, listeners)
	}
	return rows, nil
}

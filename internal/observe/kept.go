package observe

import (
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// kept is what the last sample that looked at every socket made of them. It holds as long
// as the sockets, the processes and their descriptors are the same.
type kept struct {
	rows      map[row]series.Sample
	listeners []string
	// who are the watched processes, with the subject of each and how many descriptors
	// it has.
	who []int32
	// events is how many events had been heard, and times how many samples in a row
	// came to the same.
	events, times int
	// looked is when a sample looked at every socket last, and took for how long.
	looked time.Time
	took   time.Duration
	// trimmed is when memory was given back last.
	trimmed time.Time
}

// What the descriptors of a process are is looked at again after lookEvery at least,
// and for one part in lookShare of the time: their number may be the same, and one be of
// another socket.
const (
	lookEvery = time.Minute
	lookShare = 100
)

// trimEvery is how long it is at least between two times that memory is given back.
const trimEvery = 10 * time.Second

// settled is how many samples must have come to the same: some of what is known of a
// socket is of the sample before.
const settled = 2

// keptRows returns the rows of the last sample, if those of this one are the same.
func (w *Watcher) keptRows(m *series.Moment) (rows, bool) {
	who, known := w.who()
	events := w.events()
	same := known && events == w.kept.events && slices.Equal(who, w.kept.who)
	for _, v := range w.views {
		same = same && v.same
	}
	w.kept.who, w.kept.events = who, events
	if w.kept.times++; !same {
		w.kept.times = 0
	}
	if w.kept.times < settled || time.Since(w.kept.looked) > max(lookEvery, lookShare*w.kept.took) {
		return nil, false
	}
	if w.kept.looked.After(w.kept.trimmed) && time.Since(w.kept.trimmed) > trimEvery {
		w.trim()
	}
	r := make(rows, len(w.kept.rows))
	for of, sample := range w.kept.rows {
		r[of] = &sample
	}
	m.Listeners = w.kept.listeners
	return r, true
}

// trim gives memory back that is not needed while everything stays the same, with the
// garbage of the samples: what is known of the sample before is what is known of this one.
func (w *Watcher) trim() {
	for _, v := range w.views {
		switch by := v.sort.(type) {
		case *byPort:
			by.before = pairs{}
		case *byProcess:
			by.before = pairs{}
		}
		v.owners.Trim()
	}
	debug.FreeOSMemory()
	w.kept.trimmed = time.Now()
}

// keep keeps the rows of a sample that began to look at every socket at a time.
func (w *Watcher) keep(r rows, m *series.Moment, began time.Time) {
	w.kept.looked, w.kept.took = time.Now(), time.Since(began)
	if w.kept.rows == nil {
		w.kept.rows = map[row]series.Sample{}
	}
	clear(w.kept.rows)
	for of, sample := range r {
		w.kept.rows[of] = *sample
	}
	w.kept.listeners = m.Listeners
}

// who lists the watched processes as kept has them; false where it cannot be known
// whether their descriptors are the same.
func (w *Watcher) who() (list []int32, known bool) {
	if w.options.Details {
		return nil, false
	}
	add := func(pid int32) {
		list = append(list, pid, w.processes.root(pid))
		if it := w.processes.known[pid]; it != nil {
			list = append(list, int32(it.lives))
		}
	}
	for _, pid := range w.processes.living {
		add(pid)
		if w.target.Port == 0 {
			n, ok := socketstats.OpenDescriptors(pid)
			if !ok {
				return nil, false
			}
			list = append(list, int32(n))
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(w.rowsByPID)) {
		add(pid)
	}
	for _, v := range w.views {
		list = append(list, int32(v.namespace))
	}
	return list, true
}

// events counts what was heard in all namespaces.
func (w *Watcher) events() (n int) {
	for _, v := range w.views {
		if v.ears != nil {
			n += v.ears.events
		}
	}
	return n
}

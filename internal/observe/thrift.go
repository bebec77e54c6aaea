package observe

import (
	"maps"

	"socketlab/internal/socketstats"
)

// trusted is in how many samples in a row the descriptors of a process are taken to be
// as before.
const trusted = 19

// scan reads the descriptors of the watched processes. A thrifty watcher reads those of which
// something shows that they are others than before, and all of them if then there is a socket
// whose process is not known and was not looked for.
func (w *Watcher) scan() {
	if w.options.Thrifty {
		w.descriptors.Trust, w.descriptors.Listed = trusted, &w.sockets
	}
	w.descriptors.Scan(w.processes.living)
	if !w.options.Thrifty {
		return
	}
	orphans, news := w.findOrphans()
	if news {
		w.descriptors.Rescan()
		orphans, _ = w.findOrphans()
	}
	w.orphans = orphans
}

// findOrphans finds the inodes of the listed sockets that no process is known to hold, and
// whether there are others than at the last sample.
func (w *Watcher) findOrphans() (inodes map[uint32]bool, news bool) {
	inodes = make(map[uint32]bool, len(w.orphans))
	for _, v := range w.views {
		by, _ := v.sort.(*byProcess)
		for i := range v.sockets {
			s := &v.sockets[i]
			if s.Inode == 0 || w.descriptors.PID(s.Inode) != 0 || by != nil && by.excepted(s.Local, s.Remote) {
				continue
			}
			inodes[s.Inode] = true
			news = news || !w.orphans[s.Inode]
		}
	}
	return inodes, news
}

// alike are the values of the newest samples. Most are as in the sample before: these are
// kept once, as the samples of many processes fill the memory. They must not be changed.
type alike struct {
	activities map[ended]*socketstats.Activity
	kinds      map[row]map[string]int
}

func (a *alike) activity(of ended, now socketstats.Activity) *socketstats.Activity {
	if before := a.activities[of]; before != nil && *before == now {
		return before
	}
	if a.activities == nil {
		a.activities = map[ended]*socketstats.Activity{}
	}
	a.activities[of] = &now
	return &now
}

func (a *alike) kindsOf(of row, now map[string]int) map[string]int {
	if before := a.kinds[of]; before != nil && maps.Equal(before, now) {
		return before
	}
	if a.kinds == nil {
		a.kinds = map[row]map[string]int{}
	}
	a.kinds[of] = now
	return now
}

// forget forgets the rows that are not in the newest sample.
func (a *alike) forget(r rows) {
	maps.DeleteFunc(a.activities, func(of ended, _ *socketstats.Activity) bool { return r[of.of] == nil })
	maps.DeleteFunc(a.kinds, func(of row, _ map[string]int) bool { return r[of] == nil })
}

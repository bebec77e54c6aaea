package observe

import (
	"maps"

	"socketlab/internal/socketstats"
)

// trusted is in how many samples in a row the descriptors of a process are taken to be
// as before.
const trusted = 3

// scan reads the descriptors of the watched processes: all of them if there is a socket
// whose process is not known and was not looked for.
func (w *Watcher) scan() {
	if !w.options.Thrifty {
		w.descriptors.Scan(w.processes.living)
		return
	}
	w.descriptors.Trust = trusted
	w.eachOrphan(func(inode uint32) {
		if !w.orphans[inode] {
			w.descriptors.Trust = 0
		}
	})
	w.descriptors.Scan(w.processes.living)
	orphans := make(map[uint32]bool, len(w.orphans))
	w.eachOrphan(func(inode uint32) { orphans[inode] = true })
	w.orphans = orphans
}

// eachOrphan visits the inodes of the listed sockets that no process is known to hold.
func (w *Watcher) eachOrphan(visit func(inode uint32)) {
	for _, v := range w.views {
		for i := range v.sockets {
			if inode := v.sockets[i].Inode; inode != 0 && w.descriptors.PID(inode) == 0 {
				visit(inode)
			}
		}
	}
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

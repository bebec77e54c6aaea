package observe

import (
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// inheritance knows which sockets processes hold that they did not open: an ancestor
// did, and left them to the child that it started. The zero inheritance is of none.
type inheritance struct {
	// from is the process that opened a socket, by inode: its holder where that has
	// opened it itself.
	from map[uint32]int32
	// left is how many sockets a process has left to its children, for certain.
	left map[int32]int
}

// startTick is the unit of start times in /proc.
const startTick = 10 * time.Millisecond

// enoughLeft is how many sockets a process must have left to its children for certain,
// until others count of which the start times say so but for a tick.
const enoughLeft = 2

// opener is the process that opened a socket which a process holds: itself, or the
// ancestor from which it has it. held is the holder at the scan before, or 0.
func (w *Watcher) opener(v *view, s *socketstats.Socket, pid, held int32) int32 {
	if s.Inode == 0 {
		return pid
	}
	if from, known := w.inherited.from[s.Inode]; known && (from == pid || w.processes.descends(pid, from)) {
		return from
	}
	if held != 0 && held != pid && w.processes.descends(pid, held) {
		return w.inherits(s.Inode, pid, held)
	}
	if v.ears.traced() {
		if from := v.ears.trace.openers.held(s.Local, s.Remote); from == pid || from != 0 && w.processes.descends(pid, from) {
			return w.inherits(s.Inode, pid, from)
		}
	}
	if s.Info == nil {
		return pid
	}
	silent := min(s.Info.Sent, s.Info.Received)
	if from := w.processes.startedBefore(pid, v.listed-silent); from != pid {
		return w.inherits(s.Inode, pid, from)
	}
	// A child that its parent starts right after an exchange has a start time within a
	// tick of it, and so has one that connects right after its start.
	from := w.processes.startedBefore(pid, v.listed-silent-startTick)
	if w.inherited.left[from] < enoughLeft {
		return pid
	}
	return from
}

// inherits enters that a process has a socket from another, or has opened it.
func (w *Watcher) inherits(inode uint32, pid, from int32) int32 {
	if w.inherited.from == nil {
		w.inherited = inheritance{from: map[uint32]int32{}, left: map[int32]int{}}
	}
	w.inherited.from[inode] = from
	if from != pid {
		w.inherited.left[from]++
	}
	return from
}

// forgetInherited forgets the sockets that no process holds any more.
func (w *Watcher) forgetInherited() {
	for inode := range w.inherited.from {
		if holder, _ := w.descriptors.Holders(inode); holder == 0 {
			delete(w.inherited.from, inode)
		}
	}
	for pid := range w.inherited.left {
		if w.processes.look(pid) == nil {
			delete(w.inherited.left, pid)
		}
	}
}

// adoptHeirs makes a process that holds a client's end which it has inherited a part of
// the subject of the one that opened it, where every client is a subject.
func (w *Watcher) adoptHeirs(v *view) {
	if !w.processes.any() || !w.options.Details || !w.processes.follows() {
		return
	}
	by := v.sort.(*byPort)
	for i := range v.sockets {
		s := &v.sockets[i]
		if end, ok := by.endOf(s); !ok || end != socketstats.Client || s.PID == 0 || w.processes.look(s.PID) == nil {
			continue
		}
		before, _ := by.before.get(s.Local, s.Remote)
		if from := w.opener(v, s, s.PID, before.pid); from != s.PID {
			w.processes.adopt(s.PID, from)
		}
	}
}

// addInherited enters a socket if only a descendant of the process that opened it still
// holds it.
func (w *Watcher) addInherited(v *view, sample *series.Sample, s *socketstats.Socket) {
	holder, others := w.descriptors.Holders(s.Inode)
	if s.Inode == 0 || holder == 0 {
		return
	}
	held := w.descriptors.HeldBefore(s.Inode)
	if held == holder || slices.Contains(others, held) {
		held = 0 // it has it still, and may not have opened it
	}
	if from := w.opener(v, s, holder, held); from != holder && !slices.Contains(others, from) {
		sample.Inherited++
	}
}

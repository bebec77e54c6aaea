package observe

import (
	"errors"

	"socketlab/internal/socketstats"
)

// addDetails adds to the rows what their connections do, and what the processes
// have of what they may have.
func (w *Watcher) addDetails(rows rows, snap *Snapshot, sockets []socketstats.Socket) {
	tells := socketstats.ReportsInfo(w.source)
	ends := map[int32]*[2][]socketstats.Socket{}
	for i := range sockets {
		s := &sockets[i]
		if s.State == socketstats.Listen {
			if tells {
				w.lookAtQueue(rows, snap, s)
			}
			continue
		}
		pid, end, ok := w.rowOfListed(s)
		if !ok {
			continue
		}
		if ends[pid] == nil {
			ends[pid] = &[2][]socketstats.Socket{}
		}
		ends[pid][end] = append(ends[pid][end], *s)
	}
	for pid, row := range rows {
		if tells {
			of := ends[pid]
			if of == nil {
				of = &[2][]socketstats.Socket{}
			}
			client := socketstats.ActivityOf(of[socketstats.Client], socketstats.Client)
			server := socketstats.ActivityOf(of[socketstats.Server], socketstats.Server)
			row.ClientActivity, row.ServerActivity = &client, &server
		}
		if pid != 0 {
			row.Descriptors = socketstats.Descriptors(pid)
			row.Limits = w.limitsOf(pid)
		}
	}
}

// limitsOf is nil where nothing is known. A process's limits hardly ever change.
func (w *Watcher) limitsOf(pid int32) *socketstats.Limits {
	l, ok := w.limits[pid]
	if !ok {
		l = socketstats.LimitsOf(pid)
		w.limits[pid] = l
	}
	if l == (socketstats.Limits{}) {
		return nil
	}
	return &l
}

// lookAtQueue keeps the fuller of two listeners' queues: of the watched port, or
// of the watched process.
func (w *Watcher) lookAtQueue(rows rows, snap *Snapshot, s *socketstats.Socket) {
	into := &snap.Queue
	switch {
	case w.target.Port != 0 && s.Local.Port() != w.target.Port:
		return
	case w.target.Port == 0:
		if s.PID == 0 || !w.watches(s.PID) {
			return
		}
		into = &rows.of(s.PID).Queue
	}
	q := &Queue{Waiting: int(s.RecvQ), Limit: int(s.SendQ)}
	if old := *into; old == nil || q.Waiting-q.Limit > old.Waiting-old.Limit {
		*into = q
	}
}

// closedInfo keeps account of how much the connections carried that were closed.
type closedInfo struct {
	source socketstats.Closings
	end    func(socketstats.Closed) socketstats.End
	pid    func(socketstats.Closed) int32 // who held it; 0 if that is not known
	rowFor func(rows, int32) int32
	heard  []socketstats.Closed
	total  map[int32]*Flow // WithTCPInfo and ShortLived of each row
	begun  bool
}

func (w *Watcher) openClosedInfo() (*closedInfo, error) {
	var ports []uint16
	if w.target.Port != 0 {
		ports = []uint16{w.target.Port}
	}
	source, err := socketstats.OpenClosings(w.source, ports)
	if err != nil {
		return nil, err
	}
	if t, ok := w.flows.(*transitions); ok {
		t.remember = true
	}
	return &closedInfo{source: source, end: w.endOfClosed, pid: w.pidOfClosed, rowFor: w.rowFor, total: map[int32]*Flow{}}, nil
}

// rowFor is the row of what a process did: its own, or that of no process once it
// has ended and nothing is left of it. Clients that come and go would fill a
// recording otherwise.
func (w *Watcher) rowFor(rows rows, pid int32) int32 {
	if !w.target.Details || pid == 0 || rows[pid] != nil {
		return pid
	}
	if !w.dead[pid] {
		w.dead[pid] = errors.Is(socketstats.CheckProcess(pid), socketstats.ErrNoProcess)
	}
	if w.dead[pid] {
		return 0
	}
	return pid
}

// endOfClosed is the end that a closed socket was at.
func (w *Watcher) endOfClosed(c socketstats.Closed) socketstats.End {
	if c.Local.Port() == w.target.Port {
		return socketstats.Server
	}
	if _, served := w.listens[c.Local.Port()]; served && w.target.Port == 0 {
		return socketstats.Server
	}
	return socketstats.Client
}

// pidOfClosed is the process that held a closed socket, as far as it was listed
// or, with privilege, heard of.
func (w *Watcher) pidOfClosed(c socketstats.Closed) int32 {
	if t, ok := w.flows.(*transitions); ok {
		if pid := t.bornTo(pairOf(c.Local, c.Remote)); pid != 0 {
			return pid
		}
	}
	return w.owners.PID(c.Cookie)
}

// enter adds what was closed since the last call to its row.
func (w *closedInfo) enter(rows rows, who rowOf) error {
	if w == nil {
		return nil
	}
	heard, _, err := w.source.Drain(w.heard[:0])
	if err != nil {
		return err
	}
	w.heard = heard
	if !w.begun {
		w.begun = true // what was closed before the first list
		return nil
	}
	for _, c := range heard {
		row, verdict := who(end{c.Local, c.Remote, w.pid(c)})
		if (verdict != counts && verdict != inferred) || !c.Connected || c.Forgotten() {
			continue
		}
		if w.total[row] == nil {
			w.total[row] = &Flow{}
		}
		w.total[row].WithTCPInfo++
		if c.ShortLived(w.end(c)) {
			w.total[row].ShortLived++
		}
	}
	for pid, t := range w.total {
		if p := rows[w.rowFor(rows, pid)]; p != nil && p.Flow != nil {
			p.Flow.WithTCPInfo += t.WithTCPInfo
			p.Flow.ShortLived += t.ShortLived
		}
	}
	return nil
}

func (w *closedInfo) close() error {
	if w == nil {
		return nil
	}
	return w.source.Close()
}

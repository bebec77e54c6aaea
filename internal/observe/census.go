package observe

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// EachSocket visits every TCP socket of the newest sample once, for the subject whose
// process holds it: [NoProcess] where none is known, or none has a descriptor of it. What
// is in TIME_WAIT is of the process that held it. Of a connection within this machine each
// end is a socket of its own. The visitor must not keep the socket.
func (w *Watcher) EachSocket(visit func(id string, end socketstats.End, s *socketstats.Socket)) {
	for _, v := range w.views {
		for i := range v.sockets {
			s := &v.sockets[i]
			pid, end := s.PID, v.sort.endAt(s.Local)
			switch sort := v.sort.(type) {
			case *byPort:
				if s.Local.Port() != sort.port && s.Remote.Port() != sort.port {
					continue
				}
				if pid != 0 && end == socketstats.Client && !w.processes.watched(pid) {
					continue
				}
			case *byProcess:
				if sort.excepted(s.Local, s.Remote) || pid == int32(os.Getpid()) {
					continue
				}
				if pid == 0 && !w.target.All || pid != 0 && !w.processes.watched(pid) {
					continue
				}
			}
			visit(w.subjectOf(pid, v, s), end, s)
		}
	}
}

// subjectOf is the id of the subject that holds a socket.
func (w *Watcher) subjectOf(pid int32, v *view, s *socketstats.Socket) string {
	if s.State.Open() && s.Unowned {
		return NoProcess
	}
	if of, ok := v.served(s); ok {
		if it := w.processes.known[of.pid]; it != nil {
			return serverID(it)
		}
	}
	if it := w.processes.known[w.processes.root(pid)]; pid != 0 && it != nil {
		return it.id
	}
	return NoProcess
}

// Owner is who a subject's process is to the machine: its name, and its control group.
type Owner struct {
	Name   string
	Cgroup socketstats.Cgroup
}

// OwnerOf is that of a subject; zero for one that is no process.
func (w *Watcher) OwnerOf(id series.Identity) Owner {
	it := w.processes.known[id.PID]
	if id.PID == 0 || it == nil {
		return Owner{}
	}
	return Owner{Name: it.name, Cgroup: w.processes.cgroupOf(it)}
}

// The reasons for which a process cannot be observed.
const (
	NotPermitted     = "not_permitted"     // it is another user's
	NoNamespaceEntry = "network_namespace" // its network namespace cannot be entered, or read
)

// Unobserved counts the target's processes that could not be observed, by reason. Both
// reasons are there, with 0 where there is none.
func (w *Watcher) Unobserved() map[string]int {
	reasons := map[string]int{NotPermitted: 0, NoNamespaceEntry: len(w.elsewhere)}
	for _, err := range w.processes.unseen {
		if errors.Is(err, socketstats.ErrNotAllowed) || errors.Is(err, fs.ErrPermission) {
			reasons[NotPermitted]++
		} else {
			reasons[NoNamespaceEntry]++
		}
	}
	return reasons
}

// NamespaceCounters are the kernel's counters of one network namespace.
type NamespaceCounters struct {
	// Namespace is its inode, and Ours says that it is the watcher's.
	Namespace uint32
	Ours      bool
	// Cgroup is that of a process in it; zero where it is ours.
	Cgroup   socketstats.Cgroup
	Counters socketstats.Counters
}

// Counters reads the kernel's counters of each network namespace that is observed. It
// works on Linux only: elsewhere, and of a namespace that has just ended, there are
// none.
func (w *Watcher) Counters() []NamespaceCounters {
	var list []NamespaceCounters
	for _, v := range w.views {
		n := NamespaceCounters{Namespace: v.namespace, Ours: !v.foreign}
		proc := "/proc/self"
		if v.foreign {
			proc = socketstats.ProcDir(v.through)
			if it := w.processes.known[v.through]; it != nil {
				n.Cgroup = w.processes.cgroupOf(it)
			}
		}
		var err error
		if n.Counters, err = socketstats.ReadCounters(proc); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// manyHeard take some ten megabytes.
const manyHeard = 100_000

// Drain takes what the tracepoint reports out of the kernel's buffer, so that none is lost. It
// is entered with the next sample, which knows the processes that there are by then, unless it
// becomes too much to keep.
func (w *Watcher) Drain() error {
	for _, v := range w.views {
		if !v.ears.traced() {
			continue
		}
		if err := v.ears.hearTrace(); err != nil {
			return err
		}
		if len(v.ears.trace.heard) > manyHeard {
			if err := w.conns.hearTransitions(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Filled returns a channel that has a value when [Watcher.Drain] is due, or nil where the
// tracepoint is not read.
func (w *Watcher) Filled() <-chan struct{} {
	if trace := w.trace(); trace != nil {
		return trace.filled
	}
	return nil
}

// Hear enters what was opened and closed since the newest sample. With a long time
// between two samples it is called in between, so that what was heard fills neither the
// memory nor the kernel's buffer.
func (w *Watcher) Hear(ctx context.Context) error {
	for _, v := range w.views {
		if err := w.conns.afterList(v); err != nil {
			return err
		}
	}
	return ctx.Err()
}

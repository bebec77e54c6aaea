// Package watch counts the sockets of processes that it did not start: of all
// that talk to a server's port, or of some processes whatever they talk to.
package watch

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/socketstats"
)

// Target says what to watch. With a Port, connections to that port of this
// machine: each process that holds their client ends is a row, with the server
// ends of its own connections beside. Without, all TCP sockets of the processes
// named by PIDs and Name.
type Target struct {
	Port uint16
	// PIDs and Name keep these processes only. A process is kept if it is in
	// PIDs, or has Name (without .exe), also if it starts later.
	PIDs []int32
	Name string
}

// Snapshot is what one count showed.
type Snapshot struct {
	At time.Time `json:"at"`
	// Took is what the count cost.
	Took      time.Duration `json:"took_ns"`
	Port      uint16        `json:"port,omitempty"`
	Listeners []string      `json:"listeners"` // the processes that listen on Port
	Processes []Process     `json:"processes"`
}

// Process is one process's sockets.
type Process struct {
	// PID is 0 for the row of sockets whose process is not known: closed by
	// one between two counts, or on another machine.
	PID  int32  `json:"pid"`
	Name string `json:"name"`
	// Client counts the ends that connected, Server those that accepted. With
	// a Port, Server is the other end of the same connections.
	Client socketstats.Counts `json:"client"`
	Server socketstats.Counts `json:"server"`
}

// Label names the process for people.
func (p Process) Label() string {
	if p.PID == 0 {
		return p.Name
	}
	return fmt.Sprintf("%s (%d)", p.Name, p.PID)
}

// unknownName is the name of the row without process.
const unknownName = "no process"

// ErrGone is the error of a count when every watched process has ended.
var ErrGone = errors.New("every watched process has ended")

// Watcher counts a target again and again. It is for one goroutine.
type Watcher struct {
	target Target
	source socketstats.Source
	owners socketstats.Owners
	names  map[int32]string
	pids   []int32 // of Target.PIDs, those that still live
}

// New returns a watcher of target. Processes that do not exist, or that this
// user may not see, are an error.
func New(ctx context.Context, source socketstats.Source, target Target) (*Watcher, error) {
	for _, pid := range target.PIDs {
		if err := socketstats.CheckProcess(pid); err != nil {
			return nil, err
		}
	}
	w := &Watcher{target: target, source: source, names: map[int32]string{}, pids: slices.Clone(target.PIDs)}
	if target.Name == "" || target.Port != 0 {
		return w, nil
	}
	pids, err := w.named(ctx)
	if err == nil && len(pids) == 0 {
		err = fmt.Errorf("process named %q: %w", target.Name, socketstats.ErrNoProcess)
	}
	return w, err
}

// named lists the processes that have the target's name.
func (w *Watcher) named(ctx context.Context) ([]int32, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	return slices.DeleteFunc(pids, func(pid int32) bool { return w.nameOf(pid) != w.target.Name }), nil
}

// nameOf returns a process's name. It is kept, so that a process that has
// ended still has one.
func (w *Watcher) nameOf(pid int32) string {
	if name, ok := w.names[pid]; ok {
		return name
	}
	name := "process"
	// Not process.NewProcess: it leaves a pidfd open for each call.
	if n, err := (&process.Process{Pid: pid}).Name(); err == nil {
		name = strings.TrimSuffix(n, ".exe")
	}
	w.names[pid] = name
	return name
}

// Count counts once. The error is [ErrGone] when there is nothing left to
// watch.
func (w *Watcher) Count(ctx context.Context) (Snapshot, error) {
	now := time.Now()
	q, err := w.query(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	sockets, err := w.source.Sockets(ctx, q)
	if err != nil {
		return Snapshot{}, err
	}
	w.owners.Attribute(sockets)
	snap := Snapshot{At: now, Port: w.target.Port, Listeners: []string{}}
	if w.target.Port != 0 {
		w.byPort(&snap, sockets)
	} else {
		w.byProcess(&snap, sockets)
	}
	slices.SortFunc(snap.Processes, func(a, b Process) int {
		if (a.PID == 0) != (b.PID == 0) {
			return int(b.PID - a.PID) // the row without process comes last
		}
		return strings.Compare(fmt.Sprintf("%s %10d", a.Name, a.PID), fmt.Sprintf("%s %10d", b.Name, b.PID))
	})
	snap.Took = time.Since(now)
	return snap, nil
}

// query asks for what the target needs. With a port, the listener's owner is of
// interest too, whoever it is.
func (w *Watcher) query(ctx context.Context) (socketstats.Query, error) {
	q := socketstats.Query{Owners: true}
	if w.target.Port != 0 {
		q.Ports = []uint16{w.target.Port}
	}
	if len(w.target.PIDs) == 0 && (w.target.Name == "" || w.target.Port != 0) {
		return q, nil
	}
	w.pids = slices.DeleteFunc(w.pids, func(pid int32) bool { return socketstats.CheckProcess(pid) != nil })
	living := w.pids
	if w.target.Name != "" {
		named, err := w.named(ctx)
		if err != nil {
			return q, err
		}
		living = slices.Concat(living, named)
	}
	if len(living) == 0 {
		return q, ErrGone
	}
	if w.target.Port == 0 {
		q.OwnersAmong = living
	}
	return q, nil
}

// watches reports whether a process is one of the target's.
func (w *Watcher) watches(pid int32) bool {
	if len(w.target.PIDs) == 0 && w.target.Name == "" {
		return true
	}
	return slices.Contains(w.target.PIDs, pid) || (pid != 0 && w.target.Name != "" && w.nameOf(pid) == w.target.Name)
}

// byPort gives each process its client ends and the server ends of the same
// connections.
func (w *Watcher) byPort(snap *Snapshot, sockets []socketstats.Socket) {
	server := netip.AddrPortFrom(netip.Addr{}, w.target.Port)
	rows := rows{}
	holder := map[socketstats.Tuple]int32{} // of a client end, by its four-tuple
	for _, s := range sockets {
		if s.State == socketstats.Listen && s.Local.Port() == w.target.Port {
			snap.Listeners = append(snap.Listeners, w.describe(s.PID).Label())
		}
		if end, ok := s.EndOf(server); ok && end == socketstats.Client && s.State != socketstats.Listen {
			holder[s.Tuple()] = s.PID
		}
	}
	slices.Sort(snap.Listeners)
	snap.Listeners = slices.Compact(snap.Listeners)
	for _, s := range sockets {
		end, ok := s.EndOf(server)
		switch {
		case !ok || s.State == socketstats.Listen:
		case end == socketstats.Client:
			if w.watches(s.PID) {
				rows.of(s.PID).Client.Add(s.State)
			}
		default:
			pid := holder[socketstats.Tuple{Local: s.Remote, Remote: s.Local}]
			if w.watches(pid) {
				rows.of(pid).Server.Add(s.State)
			}
		}
	}
	snap.Processes = w.list(rows)
}

// byProcess gives each process all the sockets that it holds or held.
func (w *Watcher) byProcess(snap *Snapshot, sockets []socketstats.Socket) {
	listening := listeners(sockets)
	rows := rows{}
	for _, pid := range w.pids {
		rows.of(pid)
	}
	for _, s := range sockets {
		if s.PID == 0 || !w.watches(s.PID) {
			continue
		}
		if listening[s.Local.Port()] {
			rows.of(s.PID).Server.Add(s.State)
		} else {
			rows.of(s.PID).Client.Add(s.State)
		}
	}
	snap.Processes = w.list(rows)
}

// listeners are the ports that are listened on, on this machine.
func listeners(sockets []socketstats.Socket) map[uint16]bool {
	ports := map[uint16]bool{}
	for _, s := range sockets {
		if s.State == socketstats.Listen {
			ports[s.Local.Port()] = true
		}
	}
	return ports
}

// rows are the processes met so far in one count.
type rows map[int32]*Process

func (r rows) of(pid int32) *Process {
	if r[pid] == nil {
		r[pid] = &Process{PID: pid}
	}
	return r[pid]
}

func (w *Watcher) list(r rows) []Process {
	list := make([]Process, 0, len(r))
	for pid, p := range r {
		p.Name = w.describe(pid).Name
		list = append(list, *p)
	}
	return list
}

func (w *Watcher) describe(pid int32) Process {
	if pid == 0 {
		return Process{Name: unknownName}
	}
	return Process{PID: pid, Name: w.nameOf(pid)}
}

// Package observe counts the sockets of processes that it did not start: of all
// that talk to a server's port, or of some processes whatever they talk to.
package observe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

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
	// Except is the port of a page of our own, whose connections are not counted;
	// 0 is none.
	Except uint16
	// Details asks for what a verdict needs beside counts: what connections do,
	// and the processes' limits.
	Details bool
}

// Snapshot is what one count showed.
type Snapshot struct {
	At time.Time `json:"at"`
	// After is the time since the first count, by a clock that is never set.
	After time.Duration `json:"after_ns"`
	// Took is what the count cost.
	Took      time.Duration `json:"took_ns"`
	Port      uint16        `json:"port,omitempty"`
	Listeners []string      `json:"listeners"` // the processes that listen on Port
	Processes []Process     `json:"processes"`
	// FlowSource says how connections that came and went were heard of:
	// "tracepoint", which misses none, or "closed sockets", which needs no
	// privilege; "" where neither works.
	FlowSource string `json:"flow_source,omitempty"`
	// AtLeast says that some that came and went were missed, or could not be
	// attributed to a process, so that there were more.
	AtLeast bool `json:"at_least,omitempty"`
	// StateDurations is how long the watched sockets were in states that they left; from
	// the tracepoint only.
	StateDurations []StateDuration `json:"state_durations,omitempty"`
	// Unknown is how many connections came and went since the watch began that
	// cannot be told to be anybody's.
	Unknown int `json:"unknown,omitempty"`
	// Queue is that of the fullest listener on Port; nil without one.
	Queue *Queue `json:"queue,omitempty"`
}

// Queue is the connections that wait for a listener to accept them.
type Queue struct {
	Waiting int `json:"waiting"`
	Limit   int `json:"limit"`
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
	// Flow is nil in the first count, and where nothing tells of it. A connection so short that no
	// count showed it is known to be a process's from the tracepoint only; else
	// it is in the row without process.
	Flow *Flow `json:"flow,omitempty"`

	// What follows is set if the target is observed with details, where the source
	// or the system reports it.

	ClientActivity *socketstats.Activity `json:"client_activity,omitempty"`
	ServerActivity *socketstats.Activity `json:"server_activity,omitempty"`
	// Descriptors is how many the process has open.
	Descriptors int                 `json:"descriptors,omitempty"`
	Limits      *socketstats.Limits `json:"limits,omitempty"`
	// Queue is that of the process's fullest listener.
	Queue *Queue `json:"queue,omitempty"`
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

// Watcher counts a target again and again. It is for one goroutine. Close ends
// it.
type Watcher struct {
	target Target
	source socketstats.Source
	owners socketstats.Owners
	names  map[int32]string
	pids   []int32 // of Target.PIDs, those that still live
	// sockets is the last list, kept for its room.
	sockets []socketstats.Socket

	flows flowSource // nil where there is none
	own   ownAddresses
	uses  uses
	// earlyScans is the number of early scans, and earlyScanTook the time of the
	// last one; unknownBefore is what was unknown at the last count but one, and lastUnknown at
	// the last.
	earlyScans    int
	earlyScanTook time.Duration
	unknownBefore int
	lastUnknown   int
	closedInfo    *closedInfo // nil if not observed with details, or there is no source
	limits        map[int32]socketstats.Limits
	dead          map[int32]bool // the processes that have ended
	began         time.Time
	// holder is who held a socket at the last count, and heldBefore at the one
	// before: with a port, of client ends; else of what is watched.
	holder, heldBefore map[pair]int32
	listens            map[uint16]int32 // the watched process that listens on a port
	last               map[int32]Flow
	lastAt             time.Time
}

// New returns a watcher of target. Processes that do not exist, or that this
// user may not see, are an error.
func New(ctx context.Context, source socketstats.Source, target Target) (*Watcher, error) {
	for _, pid := range target.PIDs {
		if err := socketstats.CheckProcess(pid); err != nil {
			return nil, err
		}
	}
	w := &Watcher{
		target: target, source: source, names: map[int32]string{}, pids: slices.Clone(target.PIDs),
		own: newOwnAddresses(), last: map[int32]Flow{}, limits: map[int32]socketstats.Limits{}, uses: newUses(), dead: map[int32]bool{},
		holder: map[pair]int32{}, heldBefore: map[pair]int32{},
	}
	if target.Name != "" && target.Port == 0 {
		pids, err := w.named(ctx)
		if err == nil && len(pids) == 0 {
			err = fmt.Errorf("process named %q: %w", target.Name, socketstats.ErrNoProcess)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if w.flows, err = openFlows(source, &w.owners, target.Port); err == nil && target.Details && w.flows != nil {
		w.closedInfo, err = w.openClosedInfo()
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close ends what the watcher listens to.
func (w *Watcher) Close() error {
	if w.flows == nil {
		return nil
	}
	return errors.Join(w.flows.Close(), w.closedInfo.close())
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
		name = printable(strings.TrimSuffix(n, ".exe"))
	}
	w.names[pid] = name
	return name
}

// printable keeps a process from drawing on terminals with its name.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, name)
}

// Count counts once. The error is [ErrGone] when there is nothing left to
// watch.
func (w *Watcher) Count(ctx context.Context) (Snapshot, error) {
	now := time.Now()
	q, err := w.query(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	who := w.ofProcess
	if w.target.Port != 0 {
		who = w.atPort
	}
	if w.flows != nil {
		if err := w.flows.before(who); err != nil {
			return Snapshot{}, err
		}
	}
	sockets, err := w.source.Sockets(ctx, q)
	if err != nil {
		return Snapshot{}, err
	}
	w.sockets = sockets
	w.owners.Attribute(sockets)
	if w.began.IsZero() {
		w.began = now
	}
	snap := Snapshot{At: now, After: now.Sub(w.began), Port: w.target.Port, Listeners: []string{}}
	rows := rows{}
	w.heldBefore, w.holder = w.holder, w.heldBefore
	clear(w.holder)
	if w.target.Port != 0 {
		w.byPort(rows, &snap, sockets)
	} else {
		w.byProcess(rows, sockets)
	}
	if err := w.addFlows(rows, &snap, sockets, who); err != nil {
		return Snapshot{}, err
	}
	if w.target.Details {
		w.addDetails(rows, &snap, sockets)
	}
	snap.Processes = w.list(rows)
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
	// Nobody waits for a count here, and what it takes is taken from what is
	// watched.
	q := socketstats.Query{Owners: true, Thrifty: true, Into: w.sockets, Info: w.target.Details}
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

// excepts reports whether a socket is of a connection to the page, at either end.
func (w *Watcher) excepts(local, remote netip.AddrPort) bool {
	page := w.target.Except
	return page != 0 && (local.Port() == page || (remote.Port() == page && w.own.has(remote.Addr())))
}

// addFlows adds what came and went to the rows.
func (w *Watcher) addFlows(rows rows, snap *Snapshot, sockets []socketstats.Socket, who rowOf) error {
	if w.flows == nil {
		return nil
	}
	total, atLeast, err := w.flows.after(sockets, who)
	if err != nil {
		return err
	}
	snap.FlowSource, snap.AtLeast = w.flows.name(), atLeast
	first, passed := w.lastAt.IsZero(), snap.At.Sub(w.lastAt)
	w.lastAt = snap.At
	if first { // nothing came or went yet
		return w.closedInfo.enter(rows, who)
	}
	sums := accounts{}
	for pid, n := range total {
		if n.opened != 0 || n.closed != 0 {
			pid = w.rowFor(rows, pid)
			rows.of(pid)
			sums.of(pid).plus(*n)
		}
	}
	for pid, p := range rows {
		n := sums.of(pid)
		p.Flow = &Flow{Opened: max(0, n.opened), Closed: n.closed, Inferred: n.inferred}
		p.Flow.since(w.last[pid], passed)
		w.last[pid] = *p.Flow
	}
	switch flows := w.flows.(type) {
	case *transitions:
		snap.StateDurations = flows.states()
	case *closings:
		w.unknownBefore, snap.Unknown = w.lastUnknown, flows.unknown
		w.lastUnknown = flows.unknown
	}
	return w.closedInfo.enter(rows, who)
}

// byPort gives each process its client ends and the server ends of the same
// connections.
func (w *Watcher) byPort(rows rows, snap *Snapshot, sockets []socketstats.Socket) {
	server := netip.AddrPortFrom(netip.Addr{}, w.target.Port)
	for i := range sockets {
		s := &sockets[i]
		if s.State == socketstats.Listen && s.Local.Port() == w.target.Port {
			snap.Listeners = append(snap.Listeners, w.describe(s.PID).Label())
		}
		if end, ok := s.EndOf(server); ok && end == socketstats.Client && s.State != socketstats.Listen {
			w.holder[pairOf(s.Local, s.Remote)] = s.PID
		}
	}
	slices.Sort(snap.Listeners)
	snap.Listeners = slices.Compact(snap.Listeners)
	for i := range sockets {
		if pid, end, ok := w.rowOfListed(&sockets[i]); ok {
			rows.of(pid).add(end, sockets[i].State)
		}
	}
}

// rowOfListed is the row of a socket of the last list, and the end that it is
// at there; false if it is in none.
func (w *Watcher) rowOfListed(s *socketstats.Socket) (pid int32, end socketstats.End, ok bool) {
	if w.target.Port == 0 {
		if w.excepts(s.Local, s.Remote) {
			return 0, end, false
		}
		if _, served := w.listens[s.Local.Port()]; served {
			end = socketstats.Server
		}
		return s.PID, end, s.PID != 0 && w.watches(s.PID)
	}
	end, ok = s.EndOf(netip.AddrPortFrom(netip.Addr{}, w.target.Port))
	if !ok || s.State == socketstats.Listen {
		return 0, end, false
	}
	pid = s.PID
	if end == socketstats.Server {
		pid = w.holder[pairOf(s.Remote, s.Local)]
	}
	return pid, end, w.watches(pid)
}

func (p *Process) add(end socketstats.End, state socketstats.State) {
	if end == socketstats.Client {
		p.Client.Add(state)
	} else {
		p.Server.Add(state)
	}
}

// byProcess gives each process all the sockets that it holds or held.
func (w *Watcher) byProcess(rows rows, sockets []socketstats.Socket) {
	w.listens = listeners(sockets)
	w.uses.counted()
	for _, pid := range w.pids {
		rows.of(pid)
	}
	for i := range sockets {
		s := &sockets[i]
		pid, end, ok := w.rowOfListed(s)
		if w.target.Details {
			w.uses.see(s, ok)
		}
		if ok {
			w.holder[pairOf(s.Local, s.Remote)] = pid
			rows.of(pid).add(end, s.State)
		}
	}
}

// listeners are the ports that are listened on, on this machine, and by whom.
func listeners(sockets []socketstats.Socket) map[uint16]int32 {
	ports := map[uint16]int32{}
	for _, s := range sockets {
		if s.State == socketstats.Listen {
			ports[s.Local.Port()] = max(ports[s.Local.Port()], s.PID)
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

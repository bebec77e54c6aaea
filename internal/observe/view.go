package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// view is one network namespace: its sockets, whose they are, and what comes and goes
// there. Four-tuples of two namespaces never mix.
type view struct {
	// namespace is its inode; 0 where the system has none.
	namespace uint32
	source    socketstats.Source
	// foreign says that it is not our namespace: the source is the view's own.
	foreign bool
	sort    sorter
	ears    *ears
	owners  socketstats.Owners
	// sockets is the last list, kept for its room.
	sockets []socketstats.Socket
	// server is the process that listens on the watched port, the one with the lowest
	// id of several, and servers are those that hold sockets at the server's end: it
	// and its workers. 0 and none without a port, and where it is not known.
	server  int32
	servers map[int32]bool
	// live keeps sockets up to date; nil where the source cannot, and with details. same
	// says that sockets are those of the sample before.
	live socketstats.Live
	same bool
	// listed is when sockets was listed, by [socketstats.Uptime].
	listed time.Duration
	// lost says that the process is gone through which it was read.
	lost bool
	// used is when a process was in it, or a connection to the port.
	used time.Time
	// through is a process of it; 0 is this one.
	through int32
	// multipath says that there are MPTCP connections, perhaps.
	multipath bool
	// askedAt is how many events had been heard when that was last asked, and silent says
	// that none had come since it was asked before.
	askedAt int
	silent  bool
}

// meetMultipath asks the kernel whether there are MPTCP connections, until there are. Where
// every transition is heard, and none has come since it was asked twice, none has been made.
func (v *view) meetMultipath() {
	if v.multipath {
		return
	}
	if v.ears.traced() {
		events := v.ears.events + int(v.ears.trace.lost)
		if v.silent && events == v.askedAt {
			return
		}
		v.silent, v.askedAt = events == v.askedAt, events
	}
	v.multipath = socketstats.MetMPTCP(v.through)
}

func (v *view) close() error {
	err := v.ears.close()
	if v.live != nil {
		err = errors.Join(err, v.live.Close())
	}
	if v.foreign {
		err = errors.Join(err, v.source.Close())
	}
	return err
}

// unused is how long a namespace in which no process is left is kept open. An open
// view keeps the namespace itself from ending.
const unused = 10 * time.Second

// place opens a view for the namespace of each watched process, and closes those that
// are not needed any more. A process whose namespace cannot be seen is not watched.
func (w *Watcher) place(members []int32, now time.Time) error {
	if w.processes.any() {
		return w.placeByPort(now)
	}
	for _, pid := range slices.Clone(members) {
		ns, err := socketstats.NamespaceOf(pid)
		var v *view
		if err == nil {
			v, err = w.viewOf(ns, pid)
		}
		if err != nil {
			if !hasEnded(pid, err) {
				w.processes.leave(pid, err)
			}
			continue
		}
		w.processes.known[pid].namespace = ns
		v.used = now
	}
	if len(w.processes.living) == 0 && len(w.processes.unseen) > 0 && w.target.Port == 0 && !w.options.Waits {
		return fmt.Errorf("%w: %s", socketstats.ErrNotAllowed, strings.Join(w.processes.notSeen(), "; "))
	}
	return w.closeUnused(now)
}

// hasEnded reports whether a process has ended or is about to, or its first thread has, through
// which its namespace could not be seen. One that exits has no namespaces a moment before it is a
// zombie (do_exit in kernel/exit.c).
func hasEnded(pid int32, couldNot error) bool {
	if errors.Is(couldNot, fs.ErrNotExist) {
		return true
	}
	_, err := socketstats.NamespaceOf(pid)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(socketstats.CheckProcess(pid), socketstats.ErrNoProcess)
}

func (w *Watcher) closeUnused(now time.Time) error {
	var errs []error
	w.views = slices.DeleteFunc(w.views, func(v *view) bool {
		if !v.foreign || (now.Sub(v.used) < unused && !v.lost) {
			return false
		}
		errs = append(errs, v.close())
		return true
	})
	return errors.Join(errs...)
}

// viewOf is the view of a namespace, opened through a process of it if need be.
func (w *Watcher) viewOf(ns uint32, pid int32) (*view, error) {
	i := slices.IndexFunc(w.views, func(v *view) bool { return v.namespace == ns })
	if i >= 0 {
		v := w.views[i]
		if v.foreign {
			v.through, v.lost = pid, false
		}
		if table, ok := v.source.(interface{ Through(pid int32) }); ok && v.foreign {
			table.Through(pid)
		}
		return v, nil
	}
	n := socketstats.Namespace{Source: w.source, Own: w.own}
	if ns != w.processes.ours {
		var err error
		if n, err = socketstats.OpenNamespace(w.source, pid); err != nil {
			return nil, err
		}
	}
	return w.addView(ns, pid, n)
}

func (w *Watcher) addView(ns uint32, pid int32, n socketstats.Namespace) (*view, error) {
	v := &view{namespace: ns, source: n.Source, foreign: ns != w.processes.ours}
	if v.foreign {
		v.through = pid
	}
	options := tracepoint.Options{NetNS: ns, Buffer: w.options.TraceBuffer}
	if w.target.Port != 0 {
		options.Ports = []uint16{w.target.Port}
	}
	var why string
	var err error
	v.ears, why, err = openEars(n.Source, options, w.listener(), !w.untraced, w.options.Details, &v.owners)
	w.deaf = cmp.Or(w.deaf, why)
	if err != nil {
		if v.foreign {
			err = errors.Join(err, n.Source.Close())
		}
		return nil, err
	}
	if v.ears != nil {
		if w.hears && v.ears.traced() != w.conns.ledger.HearsOpened { // all must hear alike
			return nil, errors.Join(errors.New("the tracepoint does not report this namespace"), v.ears.close(), n.Source.Close())
		}
		w.hears, w.untraced, w.conns.ledger.HearsOpened = true, !v.ears.traced(), v.ears.traced()
	}
	if v.ears != nil && !w.options.Details { // with details, every socket is described anew
		if v.live, err = socketstats.OpenLive(n.Source, v.through); err != nil {
			v.live = nil
		}
		v.ears.asked = v.live != nil
	}
	h := holders{ages: w.options.Details}
	if w.target.Port != 0 {
		v.sort = &byPort{port: w.target.Port, processes: w.processes, own: n.Own, traced: v.ears.traced(), holders: h}
	} else {
		except := w.options.Except
		if v.foreign { // another program may listen on a port of the same number there
			except = 0
		}
		v.sort = &byProcess{
			except: except, details: w.options.Details, processes: w.processes, own: n.Own, destinations: newDestinations(), holders: h,
		}
	}
	if v.foreign {
		w.processes.ports[ns] = n.Ports
	}
	w.views = append(w.views, v)
	return v, nil
}

// listener is that of some view which hears transitions; nil if none does.
func (w *Watcher) listener() *tracepoint.Listener {
	if trace := w.trace(); trace != nil {
		return trace.source
	}
	return nil
}

// trace is what some view hears of transitions; nil if none does.
func (w *Watcher) trace() *transitions {
	for _, v := range w.views {
		if v.ears.traced() {
			return v.ears.trace
		}
	}
	return nil
}

const (
	// mostNamespaces bounds the network namespaces in which connections to a port are
	// looked for.
	mostNamespaces = 256
	// lookAgain is the time after which they are looked for again, and lookAgainShare is
	// what that may take of the time: one part in so many. Another namespace may have more
	// sockets than what is watched.
	lookAgain      = 10 * time.Second
	lookAgainShare = 200
)

// placeByPort opens views of our own namespace, and of each other one that this user
// may see where something listens on the port or is connected to it.
func (w *Watcher) placeByPort(now time.Time) error {
	p := w.processes
	v, err := w.viewOf(p.ours, 0)
	if err != nil {
		return err
	}
	v.used = now
	for _, v := range w.views {
		if concerns(v.sockets, w.target.Port) {
			v.used = now
		}
	}
	if err := w.closeUnused(now); err != nil || now.Sub(w.looked) < max(lookAgain, lookAgainShare*w.looking) || w.options.OwnNamespace {
		return err
	}
	w.looked = now
	began := time.Now()
	defer func() { w.looking = time.Since(began) }()
	through := w.namespaces()
	w.elsewhere, w.apart = nil, nil
	// Listed only where it is asked: there may be many sockets.
	usedHere := sync.OnceValues(func() (bool, error) {
		own, err := v.sockets, error(nil)
		if own == nil { // before the first list
			own, err = w.source.Sockets(context.Background(), socketstats.Query{Ports: []uint16{w.target.Port}})
		}
		return slices.ContainsFunc(own, func(s socketstats.Socket) bool { // what lingers does not use it
			return (s.State == socketstats.Listen && s.Local.Port() == w.target.Port) || (s.State.Open() && s.Remote.Port() == w.target.Port)
		}), err
	})
	for i, ns := range slices.Sorted(maps.Keys(through)) {
		if i == mostNamespaces {
			w.elsewhere = append(w.elsewhere, fmt.Sprintf("%d more network namespaces: not looked into", len(through)-mostNamespaces))
			break
		}
		pid := through[ns]
		err := w.lookInto(ns, pid, now, usedHere)
		// A process that has just ended hides nothing: its namespace is gone with it, or has
		// another process. Where its first thread alone has, the next look is through another.
		for tries := 0; err != nil && tries < 100 && hasEnded(pid, err); tries++ {
			if pid = w.namespaces()[ns]; pid == 0 {
				err = nil
			} else {
				err = w.lookInto(ns, pid, now, usedHere)
			}
		}
		if err != nil {
			w.elsewhere = append(w.elsewhere, fmt.Sprintf("network namespace net:[%d]: %v", ns, err))
		}
	}
	return nil
}

// namespaces are the other network namespaces that this user may see and that have no
// view, each with a process of it.
func (w *Watcher) namespaces() map[uint32]int32 {
	pids, err := socketstats.ProcessIDs()
	if err != nil {
		return nil
	}
	through := map[uint32]int32{}
	for _, pid := range pids {
		if ns, err := socketstats.NamespaceOf(pid); err == nil && ns != w.processes.ours {
			through[ns] = pid
		}
	}
	for _, v := range w.views {
		if pid := through[v.namespace]; pid != 0 {
			_, _ = w.viewOf(v.namespace, pid)
		}
		delete(through, v.namespace)
	}
	return through
}

// lookInto opens a view of a namespace if it has connections to the port. Where the port is
// used in ours, one that has them over its own loopback alone is another service's.
func (w *Watcher) lookInto(ns uint32, pid int32, now time.Time, usedHere func() (bool, error)) error {
	n, err := socketstats.OpenNamespace(w.source, pid)
	if err != nil {
		return err
	}
	sockets, err := n.Source.Sockets(context.Background(), socketstats.Query{Ports: []uint16{w.target.Port}})
	if err != nil || !concerns(sockets, w.target.Port) {
		return errors.Join(err, n.Source.Close())
	}
	if overLoopback(sockets, w.target.Port) {
		used, err := usedHere()
		if used {
			w.apart = append(w.apart, fmt.Sprintf("net:[%d] (process %d is in it)", ns, pid))
		}
		if used || err != nil {
			return errors.Join(err, n.Source.Close())
		}
	}
	v, err := w.addView(ns, pid, n)
	if err == nil {
		v.used = now
	}
	return err
}

// concerns reports whether a socket listens on a port, or is of a connection to it.
func concerns(sockets []socketstats.Socket, port uint16) bool {
	return slices.ContainsFunc(sockets, func(s socketstats.Socket) bool {
		return s.Remote.Port() == port || (s.State == socketstats.Listen && s.Local.Port() == port)
	})
}

// overLoopback reports whether no connection to a port leaves its network namespace.
func overLoopback(sockets []socketstats.Socket, port uint16) bool {
	return !slices.ContainsFunc(sockets, func(s socketstats.Socket) bool {
		return s.State != socketstats.Listen && (s.Remote.Port() == port || s.Local.Port() == port) && !s.Remote.Addr().Unmap().IsLoopback()
	})
}

// list lists the sockets of the namespace, with their owners if they are not given by
// the descriptors.
func (v *view) list(ctx context.Context, q socketstats.Query) error {
	listed := time.Now()
	q.Into, q.Multipath, q.Listed = v.sockets, v.multipath, &listed
	var err error
	v.same = false
	if v.live == nil {
		v.sockets, err = v.source.Sockets(ctx, q)
	} else {
		var heard socketstats.Heard
		if heard, err = v.ears.sinceList(); err != nil {
			return err
		}
		var differs bool
		v.sockets, differs, err = v.live.Sockets(ctx, q, heard)
		v.same = err == nil && !differs
	}
	v.listed = socketstats.Uptime() - time.Since(listed)
	v.lost = v.ended(err)
	return err
}

// ended reports whether an error is that the process has just ended through which the
// namespace is read.
func (v *view) ended(err error) bool { return v.foreign && errors.Is(err, fs.ErrNotExist) }

// findServer finds who listens on the port in the newest list. Only what is to be
// judged has the server as a subject.
func (v *view) findServer(port uint16, p *processes) {
	v.server, v.servers = 0, map[int32]bool{}
	if port == 0 {
		return
	}
	for i := range v.sockets {
		s := &v.sockets[i]
		if s.PID == 0 || s.Local.Port() != port {
			continue
		}
		v.servers[s.PID] = true
		if s.State == socketstats.Listen && (v.server == 0 || s.PID < v.server) && p.look(s.PID) != nil {
			v.server = s.PID
		}
	}
	if it := p.known[v.server]; it != nil && v.foreign {
		it.namespace = v.namespace
	}
}

// served is the row of the port's server if it holds a socket of the newest list.
func (v *view) served(s *socketstats.Socket) (row, bool) {
	return row{pid: v.server, serves: true}, v.server != 0 && s.PID != 0 && v.servers[s.PID] && s.Local.Port() == v.sort.(*byPort).port
}

// findLingering gives sockets in TIME_WAIT that no list has shown with an owner the
// process that had the connection: the one that was heard to open it, the listener of
// its port, or the only one that was seen to connect to where it went.
func (v *view) findLingering() {
	p, _ := v.sort.(*byProcess)
	for i := range v.sockets {
		s := &v.sockets[i]
		if s.PID != 0 || s.State != socketstats.TimeWait || v.owners.PID(s.Cookie) != 0 {
			continue
		}
		if v.ears.traced() {
			s.PID = v.ears.trace.opener(s.Local, s.Remote, v.sort)
		}
		if p == nil || s.PID != 0 {
			continue
		}
		if s.PID = p.listeners[s.Local.Port()]; s.PID == 0 && !v.ears.traced() {
			s.PID = p.destinations.only(s.Remote)
		}
	}
}

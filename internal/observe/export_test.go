package observe

import (
	"net/netip"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/tracepoint"
)

// WithoutPrivilege has a watcher hear of closed sockets only, as it does where
// it may not hear more.
func (w *Watcher) WithoutPrivilege(ports ...uint16) error {
	v := w.views[0]
	if err := v.ears.close(); err != nil {
		return err
	}
	heard, err := socketstats.OpenClosings(w.source, ports)
	w.conns.ledger = series.Ledger[row]{}
	w.untraced = true
	v.ears = &ears{closings: heard, owners: &v.owners, asked: v.live != nil}
	if sort, ok := v.sort.(*byPort); ok {
		sort.traced = false
	}
	return err
}

// HearLittle gives the tracepoint a buffer of one page, so that it loses what is more.
func (w *Watcher) HearLittle(ports ...uint16) error {
	v := w.views[0]
	if err := v.ears.trace.source.Close(); err != nil {
		return err
	}
	var err error
	v.ears.trace, err = openTransitions(tracepoint.Options{Ports: ports, Buffer: 1}, nil)
	return err
}

// Knows reports whether a process alone was seen to connect to an address.
func (w *Watcher) Knows(pid int32, to netip.AddrPort) bool {
	return w.views[0].sort.(*byProcess).destinations.only(to) == pid
}

// Remembered is of how many subjects a window knows something.
func (w *Window) Remembered() int { return max(len(w.identities), len(w.before)) }

// Identity is who the subject is that a process is the root of.
func (w *Watcher) Identity(root int32) series.Identity { return w.processes.identity(row{pid: root}) }

package observe

import (
	"net/netip"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// WithoutPrivilege has a watcher hear of closed sockets only, as it does where
// it may not hear more.
func (w *Watcher) WithoutPrivilege(ports ...uint16) error {
	if err := w.Close(); err != nil {
		return err
	}
	heard, err := socketstats.OpenClosings(w.source, ports)
	w.conns = &connections{closings: heard, owners: &w.owners, ledger: series.Ledger[int32]{}}
	if sort, ok := w.sort.(*byPort); ok {
		sort.traced = false
	}
	return err
}

// Knows reports whether a process alone was seen to connect to an address.
func (w *Watcher) Knows(pid int32, to netip.AddrPort) bool {
	return w.sort.(*byProcess).destinations.only(to) == pid
}

// Remembered is of how many subjects a window knows something.
func (w *Window) Remembered() int { return max(len(w.identities), len(w.before)) }

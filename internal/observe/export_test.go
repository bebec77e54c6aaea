package observe

import (
	"net/netip"

	"socketlab/internal/socketstats"
)

// WithoutPrivilege has a watcher hear of closed sockets only, as it does where
// it may not hear more.
func (w *Watcher) WithoutPrivilege(ports ...uint16) error {
	if err := w.Close(); err != nil {
		return err
	}
	heard, err := socketstats.OpenClosings(w.source, ports)
	w.flows = &closings{source: heard, owners: &w.owners}
	if err == nil && w.target.Details {
		w.closedInfo, err = w.openClosedInfo()
	}
	return err
}

// Knows reports whether a process alone was seen to connect to an address.
func (w *Watcher) Knows(pid int32, to netip.AddrPort) bool { return w.uses.only(to) == pid }

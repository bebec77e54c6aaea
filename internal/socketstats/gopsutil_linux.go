package socketstats

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// UnsupportedStates implements [Source]: Linux lists every state.
func (Gopsutil) UnsupportedStates() []State { return nil }

// list asks gopsutil for all TCP sockets. Not by ConnectionsPid: it drops every
// socket without an owner, and answers for a missing process with an empty
// list. WithoutUids, because Connections reads /proc/PID/status once per
// socket. And where owners are not asked for, with the least max: it limits the
// descriptors that are read of each process to find owners, and not, as its
// name says, the connections that are returned.
func list(ctx context.Context, owners bool) ([]psnet.ConnectionStat, error) {
	if owners {
		return psnet.ConnectionsWithoutUidsWithContext(ctx, "tcp")
	}
	return psnet.ConnectionsMaxWithoutUidsWithContext(ctx, "tcp", 1)
}

// scanTries bounds how often a scan is begun again.
const scanTries = 10

// Sockets implements [Source].
func (g Gopsutil) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	sockets, err := g.scanAll(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.Owners && slices.ContainsFunc(sockets, maybeOwned) {
		// gopsutil reads the descriptors first and the sockets after, so a
		// socket opened in between has no owner yet. A second reading has
		// its descriptor. What is still without owner then, has none.
		again, err := g.scanAll(ctx, q)
		if err != nil {
			return nil, err
		}
		owner := make(map[Tuple]int32, len(again))
		for _, s := range again {
			if _, shared := owner[s.Tuple()]; shared && s.State == Listen {
				s.PID = 0 // listeners on one address: no telling whose this one is
			}
			owner[s.Tuple()] = s.PID
		}
		for i, s := range sockets {
			if s.PID == 0 {
				sockets[i].PID = q.owner(owner[s.Tuple()])
			}
		}
	}
	return sockets, nil
}

// maybeOwned reports whether a process may hold s although none was seen.
func maybeOwned(s Socket) bool {
	switch s.State {
	case Established, SynSent, CloseWait, Listen:
		return s.PID == 0
	default:
		return false
	}
}

// scanAll scans, with every listener. gopsutil gives up altogether when a
// process ends while its descriptors are being read (ESRCH, net_linux.go:594),
// which is common beside a busy build.
func (g Gopsutil) scanAll(ctx context.Context, q Query) ([]Socket, error) {
	for try := 1; ; try++ {
		sockets, err := g.scan(ctx, q)
		switch {
		case err == nil:
			return restoreListeners(sockets, q)
		case !errors.Is(err, syscall.ESRCH) || try == scanTries:
			return nil, err
		}
	}
}

// restoreListeners adds the listeners that gopsutil folded into one: it takes
// two sockets with the same addresses and state for the same socket, and two
// SO_REUSEPORT listeners are just that (net_linux.go:510).
func restoreListeners(sockets []Socket, q Query) ([]Socket, error) {
	have := map[netip.AddrPort]int{}
	for _, s := range sockets {
		if s.State == Listen {
			have[s.Local]++
		}
	}
	if len(have) == 0 {
		return sockets, nil
	}
	all, err := readListeners("/proc/net")
	if err != nil {
		return nil, fmt.Errorf("read listeners: %w", err)
	}
	byAddr := map[netip.AddrPort]int{}
	for _, l := range all {
		byAddr[l.Local]++
	}
	folded := map[netip.AddrPort]bool{}
	for addr, n := range have {
		folded[addr] = byAddr[addr] > n
	}
	kept := sockets[:0]
	for _, s := range sockets {
		if s.State != Listen || !folded[s.Local] {
			kept = append(kept, s)
		}
	}
	all = slices.DeleteFunc(all, func(l Socket) bool { return !folded[l.Local] || !q.wants(l) })
	if q.Owners {
		new(inodes).attribute(all, q.OwnersAmong)
	}
	for _, l := range all {
		kept = append(kept, Socket{Local: l.Local, State: Listen, PID: l.PID})
	}
	return kept, nil
}

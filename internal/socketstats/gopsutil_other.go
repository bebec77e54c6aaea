//go:build !linux && !windows

package socketstats

import (
	"context"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// list asks gopsutil for all TCP sockets. It runs lsof, and leaves out what it
// cannot read of the answer (net_unix.go:84); [Lsof] gives an error.
func list(ctx context.Context, _ bool) ([]psnet.ConnectionStat, error) {
	return psnet.ConnectionsWithContext(ctx, "tcp")
}

// Sockets implements [Source].
func (g Gopsutil) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	descriptors, err := g.scan(ctx, q)
	if err != nil {
		return nil, err
	}
	var list perSocket
	for _, s := range descriptors {
		list.add(s, "")
	}
	return list.sockets, nil
}

// UnsupportedStates implements [Source]: what [Lsof] does not see, gopsutil does
// not.
func (Gopsutil) UnsupportedStates() []State { return (*Lsof)(nil).UnsupportedStates() }

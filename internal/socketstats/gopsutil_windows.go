package socketstats

import (
	"context"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// list asks gopsutil for all TCP sockets; the owners cannot be left out. It has
// no result that is worth its name where a system table could not be read:
// getProcInet leaves that family out (net_windows.go:255).
func list(ctx context.Context, _ bool) ([]psnet.ConnectionStat, error) {
	return psnet.ConnectionsWithContext(ctx, "tcp")
}

// Sockets implements [Source].
func (g Gopsutil) Sockets(ctx context.Context, q Query) ([]Socket, error) { return g.scan(ctx, q) }

// UnsupportedStates implements [Source]: Windows lists every state.
func (Gopsutil) UnsupportedStates() []State { return nil }

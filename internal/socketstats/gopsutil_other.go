//go:build !linux

package socketstats

import (
	"context"
	"runtime"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// list asks gopsutil for all TCP sockets; here owners cost nothing extra.
func list(ctx context.Context, _ bool) ([]psnet.ConnectionStat, error) {
	return psnet.ConnectionsWithoutUidsWithContext(ctx, "tcp")
}

// UnsupportedStates implements [Source]. lsof, which gopsutil asks on macOS and the BSDs,
// lists descriptors; these states have none.
func (Gopsutil) UnsupportedStates() []State {
	if runtime.GOOS == "windows" {
		return nil
	}
	return []State{SynRecv, TimeWait}
}

// restoreListeners has nothing to restore: only gopsutil's Linux list folds
// listeners.
func restoreListeners(sockets []Socket, _ Query) ([]Socket, error) { return sockets, nil }

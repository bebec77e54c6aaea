//go:build unix

package loadgen

import "golang.org/x/sys/unix"

// fdLimit returns how many descriptors this process may open. It is the limit
// as the Go runtime raised it at the start (Go issue 46279).
func fdLimit() (int, bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return int(min(limit.Cur, 1<<30)), true
}

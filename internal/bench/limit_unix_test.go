//go:build unix

package bench

import "golang.org/x/sys/unix"

// fdLimit returns how many descriptors this process may open, as the Go
// runtime raised it at the start (Go issue 46279). The processes that it
// starts are Go programs too and get as many.
func fdLimit() (int, bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return int(min(limit.Cur, 1<<30)), true
}

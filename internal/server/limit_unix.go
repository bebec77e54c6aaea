//go:build unix

package server

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// limitDescriptors lowers how many descriptors this process may open. What is open
// stays so. The hard limit stays too.
func limitDescriptors(n int) error {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	if err == nil {
		limit.Cur = least(n, limit.Max)
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	if err != nil {
		return fmt.Errorf("let the server open at most %d descriptors: %w", n, err)
	}
	return nil
}

// least is the smaller of two limits, whose type differs from system to system.
func least[T int64 | uint64](n int, most T) T { return min(T(n), most) }

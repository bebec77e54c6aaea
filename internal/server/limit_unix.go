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
		limit.Cur = min(uint64(n), limit.Max)
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	if err != nil {
		return fmt.Errorf("let the server open at most %d descriptors: %w", n, err)
	}
	return nil
}

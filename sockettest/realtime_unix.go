//go:build unix

package sockettest

import (
	"time"

	"golang.org/x/sys/unix"
)

// realSleep sleeps for some milliseconds by the system's clock, not by a bubble's. A
// signal may end it early.
func realSleep(d time.Duration) { _, _ = unix.Poll(nil, int(d.Milliseconds())) }

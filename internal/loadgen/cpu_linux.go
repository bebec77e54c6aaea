package loadgen

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is the processor time of this thread, or of the whole process; 0 where it is not
// known.
func CPUTime(thread bool) time.Duration {
	clock := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if thread {
		clock = unix.CLOCK_THREAD_CPUTIME_ID
	}
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

package bench

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the processor time that a running process has used, in user
// and kernel mode, to the nanosecond: /proc/PID/stat has hundredths of seconds.
// The clock's number is from clock_getcpuclockid(3).
func processCPU(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|unix.CLOCK_PROCESS_CPUTIME_ID), &t); err != nil {
		return 0, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

//go:build !linux

package loadgen

import (
	"time"
)

// CPUTime is the processor time of the whole process; it is coarse here. It is 0 where it is
// not known.
func CPUTime(bool) time.Duration {
	times, err := self().Times()
	if err != nil {
		return 0
	}
	return time.Duration((times.User + times.System) * float64(time.Second))
}

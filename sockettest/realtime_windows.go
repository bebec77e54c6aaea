package sockettest

import (
	"time"

	"golang.org/x/sys/windows"
)

// realSleep sleeps for some milliseconds by the system's clock, not by a bubble's.
func realSleep(d time.Duration) { windows.SleepEx(uint32(d.Milliseconds()), false) }

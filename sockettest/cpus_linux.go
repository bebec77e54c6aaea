package sockettest

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onEachCPU calls do on each processor that this process may use, one after the
// other, until it fails.
func onEachCPU(do func() error) error {
	done := make(chan error)
	go func() {
		// The thread stays locked, so that it ends with this goroutine: nothing else
		// is ever kept to one processor.
		runtime.LockOSThread()
		var all unix.CPUSet
		if unix.SchedGetaffinity(0, &all) != nil || all.Count() == 0 {
			done <- do()
			return
		}
		var err error
		for cpu, left := 0, all.Count(); left > 0 && err == nil; cpu++ {
			if !all.IsSet(cpu) {
				continue
			}
			left--
			var one unix.CPUSet
			one.Set(cpu)
			_ = unix.SchedSetaffinity(0, &one) // where that is forbidden, it is called on any
			err = do()
		}
		done <- err
	}()
	return <-done
}

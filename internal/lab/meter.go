package lab

import (
	"runtime"
	"time"

	"socketlab/internal/loadgen"
)

// meter measures what a sample costs. The CPU time is that of the calling
// thread where that is all there is to it, so that runs beside each other are
// kept apart; otherwise that of the whole process.
type meter struct {
	thread bool
	began  time.Time
	cpu    time.Duration
}

func startMeter(thread bool) meter {
	if thread {
		runtime.LockOSThread()
	}
	return meter{thread: thread, began: time.Now(), cpu: loadgen.CPUTime(thread)}
}

// stop returns the time that passed and the CPU time, which is 0 where the
// system does not tell.
func (m meter) stop() (took, cpu time.Duration) {
	took, cpu = time.Since(m.began), loadgen.CPUTime(m.thread)-m.cpu
	if m.thread {
		runtime.UnlockOSThread()
	}
	return took, cpu
}

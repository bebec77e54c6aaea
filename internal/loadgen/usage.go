package loadgen

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/series"
)

// Usage watches what this process uses. The zero Usage is ready; it is safe
// for use by several goroutines.
type Usage struct {
	mu   sync.Mutex
	peak series.Process
}

// fds returns the number of open descriptors, and notes it as a peak. On
// Linux it costs about a microsecond.
func (u *Usage) fds() int {
	n := countFDs()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.peak.DescriptorsPeak = max(u.peak.DescriptorsPeak, n)
	u.peak.GoroutinesPeak = max(u.peak.GoroutinesPeak, runtime.NumGoroutine())
	return n
}

// Read returns all figures, with the peaks of all calls so far. What the system does
// not report stays 0.
func (u *Usage) Read() *series.Process {
	fds, goroutines, rss, threads := u.fds(), runtime.NumGoroutine(), residentBytes(), threads()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.peak.RSSPeakBytes = max(u.peak.RSSPeakBytes, rss)
	u.peak.GoroutinesPeak = max(u.peak.GoroutinesPeak, goroutines)
	u.peak.ThreadsPeak = max(u.peak.ThreadsPeak, threads)
	now := u.peak
	now.Descriptors, now.Goroutines, now.Threads, now.GCCycles = fds, goroutines, threads, gcCycles()
	now.CPU = CPUTime(false)
	now.DescriptorLimit, _ = fdLimit()
	return &now
}

// self is this process to gopsutil. It is not made by process.NewProcess, which
// leaves a pidfd open until the next garbage collection (it asks whether the
// process exists through os.FindProcess): the count of descriptors would count
// itself.
func self() *process.Process { return &process.Process{Pid: int32(os.Getpid())} }

func residentBytes() uint64 {
	info, err := self().MemoryInfo()
	if err != nil {
		return 0
	}
	return info.RSS
}

func threads() int {
	n, err := self().NumThreads()
	if err != nil {
		return 0
	}
	return int(n)
}

func gcCycles() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// mostFDs is the most that a load may hold on any machine: loopback has
// about 28,000 local ports, and both sides of a run take of them.
const mostFDs = 8192

// MaxFDs is how many descriptors a load may take: a quarter of what this
// process may open, and at most 8192. The server holds as many again, and a
// process that is out of descriptors cannot even say so.
func MaxFDs() int {
	if limit, ok := fdLimit(); ok {
		return min(limit/4, mostFDs)
	}
	return mostFDs
}

// WhyMaxFDs says where MaxFDs comes from, and what raises it if anything does.
func WhyMaxFDs() string {
	if limit, ok := fdLimit(); ok && limit/4 < mostFDs {
		return fmt.Sprintf("a quarter of the descriptor limit of %d, which ulimit -n raises", limit)
	}
	return "more would use up this machine's local ports"
}

//go:build !linux

package socketstats

import (
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

func readProcess(pid int32) (ProcessInfo, error) {
	if err := checkProcess(pid); err != nil {
		return ProcessInfo{}, fmt.Errorf("process %d: %w", pid, err)
	}
	// Not process.NewProcess: it leaves a handle open for each call on some systems.
	p := &process.Process{Pid: pid}
	info := ProcessInfo{}
	if name, err := p.Name(); err == nil {
		info.Name = name
	}
	if ms, err := p.CreateTime(); err == nil {
		info.Started = time.UnixMilli(ms)
	}
	return info, nil
}

// started is when uptime is 0.
var started = time.Now()

func uptime() time.Duration { return time.Since(started) }

func (p ProcessInfo) age(uptime time.Duration) time.Duration {
	return started.Add(uptime).Sub(p.Started)
}

func processIDs() ([]int32, error) { return process.Pids() }

func readProgram(int32) Program { return Program{} }

func wakeups(int32, int) map[int]int64 { return nil }

func newestProcess() int32 { return 0 }

func children(int32) ([]int32, bool) { return nil, false }

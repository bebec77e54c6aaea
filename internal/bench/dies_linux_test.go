package bench

import (
	"os"
	"syscall"
)

// diesWithUs makes the kernel end a child whose parent was killed.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// peakRSS is the largest RSS that a process had, in bytes.
func peakRSS(s *os.ProcessState) float64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return float64(usage.Maxrss) * (1 << 10)
}

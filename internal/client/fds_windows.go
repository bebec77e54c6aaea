package client

import (
	"os"

	"github.com/shirou/gopsutil/v3/process"
)

// countFDs counts handles: Windows has no descriptors.
func countFDs() int {
	p, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0
	}
	n, err := p.NumFDs()
	if err != nil {
		return 0
	}
	return int(n)
}

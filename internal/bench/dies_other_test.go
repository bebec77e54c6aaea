//go:build !linux

package bench

import (
	"os"
	"syscall"
)

// diesWithUs: only Linux has it. Elsewhere a child outlives a bench that was
// killed by force.
func diesWithUs() *syscall.SysProcAttr { return nil }

// peakRSS: other systems have it in other units, or not at all.
func peakRSS(*os.ProcessState) float64 { return 0 }

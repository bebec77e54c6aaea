//go:build !linux

package bench

import "syscall"

// diesWithUs: only Linux has it. Elsewhere a child outlives a bench that was
// killed by force.
func diesWithUs() *syscall.SysProcAttr { return nil }

//go:build unix && !linux

package worker

import "syscall"

// ownGroup makes a command leader of a group, that is ended as a whole.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

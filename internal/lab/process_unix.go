//go:build unix

package lab

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from the workers: it ends the run in order,
// and they must live until they were counted a last time.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a process group at once.
func endGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

// tellStacks has a process of ours write what its goroutines do, and end: so does Go on
// SIGQUIT (package os/signal).
func (p *process) tellStacks() { _ = syscall.Kill(p.pid, syscall.SIGQUIT) }

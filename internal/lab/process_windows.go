package lab

import "syscall"

// ownGroup keeps a console's Ctrl-C from the workers: it ends the run in order,
// and they must live until they were counted a last time.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// endGroup has nothing to do: a command is in its supervisor's job, which ends
// with the supervisor.
func endGroup(int) {}

// tellStacks does nothing: Windows has no signal for that.
func (*process) tellStacks() {}

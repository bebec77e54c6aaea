package worker

import "syscall"

// ownGroup makes a command leader of a group, that is ended as a whole. The
// command itself also ends with us should we be killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

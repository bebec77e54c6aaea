package bench

import "syscall"

// diesWithUs makes the kernel end a child whose parent was killed.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

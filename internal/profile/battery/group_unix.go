//go:build unix

package battery

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from a supervisor, which ends with its input.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

//go:build unix

package tui

import (
	"os"

	"golang.org/x/sys/unix"
)

// inForeground reports whether keys from a terminal come to us: a job in the
// background is stopped by the system when it asks for one.
func inForeground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

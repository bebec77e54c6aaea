//go:build !windows

package connectionrefused

import "syscall"

// errRefused is what a dial returns where nobody listens.
const errRefused = syscall.ECONNREFUSED

//go:build unix

package program

import (
	"errors"
	"syscall"
)

// runtimeNeeds is how many descriptors the Go runtime and the first file take. Where the
// runtime cannot have them it ends the program with a stack of its own.
const runtimeNeeds = 4

// fewDescriptors reports whether they are not there. It opens none by package os, which
// would be the first to need them.
func fewDescriptors() bool {
	for range runtimeNeeds {
		fd, err := syscall.Open("/", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			return true
		}
		if err == nil {
			defer syscall.Close(fd)
		}
	}
	return false
}

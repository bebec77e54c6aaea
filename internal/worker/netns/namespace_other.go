//go:build !linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Namespace is a thing that only Linux has: New never returns one here.
type Namespace struct{}

// New returns an error that Is [ErrForbidden].
func New(*exec.Cmd) (*Namespace, error) {
	return nil, fmt.Errorf("%w: only Linux has network namespaces", ErrForbidden)
}

// Supervise returns the exit code of a supervisor that cannot work.
func Supervise() int { return 1 }

// Process is a process in a namespace.
type Process struct{ PID int }

// Wait returns at once.
func (*Process) Wait() error { return nil }

// Kill does nothing.
func (*Process) Kill() error { return nil }

// Start returns an error that Is [errors.ErrUnsupported].
func (*Namespace) Start([]string, *os.File, *os.File, *os.File) (*Process, error) {
	return nil, errors.ErrUnsupported
}

// Sockdiag returns an error that Is [errors.ErrUnsupported].
func (*Namespace) Sockdiag() (*os.File, error) { return nil, errors.ErrUnsupported }

// PID returns 0.
func (*Namespace) PID() int { return 0 }

// Proc returns "".
func (*Namespace) Proc() string { return "" }

// Close does nothing.
func (*Namespace) Close() error { return nil }

// ReadOnlySysctl reports that there is none to be written.
func ReadOnlySysctl() bool { return true }

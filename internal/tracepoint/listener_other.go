//go:build !linux

package tracepoint

import (
	"errors"
	"fmt"
)

// Listener exists on Linux only: Open never returns one.
type Listener struct{}

// Open returns an error that Is [errors.ErrUnsupported].
func Open(Options) (*Listener, error) {
	return nil, fmt.Errorf("changes of sockets' states are reported on Linux only: %w", errors.ErrUnsupported)
}

// Beside returns [errors.ErrUnsupported].
func (*Listener) Beside(uint32) (*Listener, error) { return nil, errors.ErrUnsupported }

// Drain returns [errors.ErrUnsupported].
func (*Listener) Drain(into []Transition) (_ []Transition, lost uint64, err error) {
	return into, 0, errors.ErrUnsupported
}

// Filled returns [errors.ErrUnsupported].
func (*Listener) Filled() (<-chan struct{}, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (*Listener) Close() error { return nil }

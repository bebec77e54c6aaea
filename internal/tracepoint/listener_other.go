//go:build !linux

package tracepoint

import (
	"errors"
	"fmt"
)

// Listener is not to be had here.
type Listener struct{}

// Open returns an error that is [errors.ErrUnsupported]: other systems have no
// such tracepoint.
func Open(Options) (*Listener, error) {
	return nil, fmt.Errorf("hearing sockets change state takes Linux: %w", errors.ErrUnsupported)
}

// Drain returns [errors.ErrUnsupported].
func (*Listener) Drain(into []Transition) (_ []Transition, lost uint64, err error) {
	return into, 0, errors.ErrUnsupported
}

// Close does nothing.
func (*Listener) Close() error { return nil }

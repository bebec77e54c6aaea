//go:build !linux

package netfault

import (
	"errors"
	"fmt"
	"time"
)

// Network is a thing that only Linux has: Open never returns one here.
type Network struct{}

// Open returns an error that Is [errors.ErrUnsupported].
func Open() (*Network, error) {
	return nil, fmt.Errorf("%w: only Linux has network namespaces, and rules for them", errors.ErrUnsupported)
}

// Apply returns an error that Is [errors.ErrUnsupported].
func (*Network) Apply([]Rule) error { return errors.ErrUnsupported }

// Track returns an error that Is [errors.ErrUnsupported].
func (*Network) Track(uint16, int, time.Duration) error { return errors.ErrUnsupported }

// Translate returns an error that Is [errors.ErrUnsupported].
func (*Network) Translate(uint16, int) error { return errors.ErrUnsupported }

// SlowLink returns an error that Is [errors.ErrUnsupported].
func (*Network) SlowLink(int, time.Duration) error { return errors.ErrUnsupported }

// ClearLink returns an error that Is [errors.ErrUnsupported].
func (*Network) ClearLink() error { return errors.ErrUnsupported }

// Close does nothing.
func (*Network) Close() error { return nil }

// Sysctl returns an error that Is [errors.ErrUnsupported].
func (Changes) Sysctl([]string) error { return errors.ErrUnsupported }

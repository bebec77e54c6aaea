//go:build !linux

package uprobe

import (
	"errors"
	"fmt"

	"socketlab/internal/where"
)

// Prober looks at one process, on Linux alone.
type Prober struct{}

// Open is not possible here: the error Is [errors.ErrUnsupported].
func Open(int32, Options) (*Prober, error) {
	return nil, fmt.Errorf("which line holds a connection can be seen on Linux alone: %w", errors.ErrUnsupported)
}

// Allowed reports whether it is possible: never, here.
func Allowed() bool { return false }

// Report returns nil.
func (*Prober) Report() (*where.Report, error) { return nil, nil }

// Close does nothing.
func (*Prober) Close() error { return nil }

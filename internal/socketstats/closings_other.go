//go:build !linux

package socketstats

import "os"

// Closings is a thing that only Linux has.
type Closings struct{}

// OpenClosings returns an error that Is [errors.ErrUnsupported].
func OpenClosings([]uint16) (*Closings, error) { return nil, errNoSockdiag }

// ClosingsFrom returns an error that Is [errors.ErrUnsupported].
func ClosingsFrom(*os.File, []uint16) (*Closings, error) { return nil, errNoSockdiag }

// Drain returns nothing.
func (*Closings) Drain(into []Closed) ([]Closed, int, error) { return into, 0, nil }

// Close does nothing.
func (*Closings) Close() error { return nil }

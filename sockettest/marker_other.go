//go:build !linux

package sockettest

import (
	"errors"
	"net/netip"
)

// marker is for what only Linux reports.
type marker struct{ at netip.AddrPort }

func newMarker() (*marker, error)       { return nil, errors.ErrUnsupported }
func (*marker) mark() ([]uint16, error) { return nil, errors.ErrUnsupported }
func (*marker) close() error            { return nil }

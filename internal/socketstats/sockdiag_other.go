//go:build !linux

package socketstats

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Sockdiag is a source that only Linux has.
type Sockdiag struct{}

var errNoSockdiag = fmt.Errorf("sock_diag is Linux's own: %w", errors.ErrUnsupported)

// OpenSockdiag returns an error that Is [errors.ErrUnsupported].
func OpenSockdiag() (*Sockdiag, error) { return nil, errNoSockdiag }

// SockdiagFile returns an error that Is [errors.ErrUnsupported].
func SockdiagFile() (*os.File, error) { return nil, errNoSockdiag }

// SockdiagFrom returns an error that Is [errors.ErrUnsupported].
func SockdiagFrom(...*os.File) (*Sockdiag, error) { return nil, errNoSockdiag }

// Close does nothing.
func (*Sockdiag) Close() error { return nil }

// Name returns "sockdiag".
func (*Sockdiag) Name() string { return "sockdiag" }

// Sockets returns an error that Is [errors.ErrUnsupported].
func (*Sockdiag) Sockets(context.Context, Query) ([]Socket, error) { return nil, errNoSockdiag }

// UnsupportedStates implements [Source].
func (*Sockdiag) UnsupportedStates() []State { return nil }

//go:build !linux

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
)

// setBacklog is known to work on Linux alone: other systems round the queue up,
// each in its way.
func setBacklog(net.Listener, int) error {
	return fmt.Errorf("no_accept and backlog are for Linux, as %s has its own idea of a queue's length: %w", runtime.GOOS, errors.ErrUnsupported)
}

func reserve(net.Addr) (free func()) { return func() {} }

// delivered does nothing: whether a client still reads what came before a
// reset is in doubt here.
func delivered(context.Context, *conn) {}

//go:build !linux

package sockopt

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// SetBacklog is known to work on Linux alone: other systems round the queue up,
// each in its way.
func SetBacklog(net.Listener, int) error {
	return fmt.Errorf("no_accept and backlog are for Linux, as %s has its own idea of a queue's length: %w", runtime.GOOS, errors.ErrUnsupported)
}

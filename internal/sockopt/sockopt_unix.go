//go:build unix

package sockopt

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	reuseAddr = unix.SO_REUSEADDR
	reusePort = unix.SO_REUSEPORT
)

func set(option int, on bool) Control {
	value := 0
	if on {
		value = 1
	}
	return func(_, address string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, value) }); err != nil {
			return err
		}
		if failed != nil {
			return fmt.Errorf("set an option of the socket for %s: %w", address, failed)
		}
		return nil
	}
}

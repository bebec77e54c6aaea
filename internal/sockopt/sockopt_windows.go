package sockopt

import (
	"errors"
	"fmt"
	"syscall"
)

const reuseAddr, reusePort = 0, 0

func set(int, bool) Control {
	return func(_, address string, _ syscall.RawConn) error {
		return fmt.Errorf("set an option of the socket for %s: %w", address, errors.ErrUnsupported)
	}
}

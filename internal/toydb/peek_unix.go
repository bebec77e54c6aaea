//go:build unix

package toydb

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// peek looks at the socket and takes nothing from it.
func (c *Conn) peek() error {
	raw, err := c.tcp.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var looked error
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		switch {
		case errors.Is(err, syscall.EAGAIN): // Go's sockets do not block
		case err != nil:
			looked = os.NewSyscallError("recvfrom", err)
		case n == 0:
			looked = io.EOF
		default:
			looked = errUnasked
		}
		return true
	})
	if err != nil {
		return err
	}
	return looked
}

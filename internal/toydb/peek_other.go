//go:build !unix

package toydb

import (
	"errors"
	"os"
	"time"
)

// peek reads for a moment: a read whose deadline has passed already would not
// look at the socket.
func (c *Conn) peek() error {
	if err := c.tcp.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	_, err := c.lines.Peek(1)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.tcp.SetReadDeadline(time.Time{})
	case err == nil:
		return errUnasked
	}
	return err
}

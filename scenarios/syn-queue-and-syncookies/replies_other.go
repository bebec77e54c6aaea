//go:build !linux

package synqueueandsyncookies

import (
	"errors"
	"syscall"
)

// loseReplies returns an error that Is [errors.ErrUnsupported]: the script needs a namespace.
func loseReplies(string, string, syscall.RawConn) error { return errors.ErrUnsupported }

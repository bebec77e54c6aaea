//go:build !linux

package toydb

import (
	"errors"
	"net"
	"time"
)

// SetUserTimeout is of Linux only: its error is [errors.ErrUnsupported].
func SetUserTimeout(*net.TCPConn, time.Duration) error { return errors.ErrUnsupported }

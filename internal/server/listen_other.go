//go:build !linux

package server

import (
	"context"
	"net"
)

func reserve(net.Addr) (free func()) { return func() {} }

// delivered does nothing: whether a client still reads what came before a
// reset is in doubt here.
func delivered(context.Context, *conn) {}

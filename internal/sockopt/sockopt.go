// Package sockopt has the options of a listening socket that must be set before it is
// bound, for servers that are run side by side with and without one.
package sockopt

import "syscall"

// Control is a [net.ListenConfig.Control]. It runs after package net has set its own
// options, and before bind(2).
type Control = func(network, address string, c syscall.RawConn) error

// ReuseAddr sets SO_REUSEADDR, or takes back what package net does by itself: off is
// what socket(2) gives to every program. On Windows it is an error that wraps
// [errors.ErrUnsupported].
func ReuseAddr(on bool) Control { return set(reuseAddr, on) }

// ReusePort lets other sockets of the same user that have it, too, listen at the same
// address (SO_REUSEPORT). On Windows it is an error that wraps
// [errors.ErrUnsupported].
func ReusePort(on bool) Control { return set(reusePort, on) }

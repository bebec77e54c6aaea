//go:build !linux

package reuseportbalance

import "errors"

// setReusePort is for Linux, which alone balances: the script needs a namespace.
func setReusePort(uintptr) error { return errors.ErrUnsupported }

//go:build !unix

package kubectl

import "syscall"

// ownGroup changes nothing: a console's Ctrl-C reaches kubectl, too.
func ownGroup() *syscall.SysProcAttr { return nil }

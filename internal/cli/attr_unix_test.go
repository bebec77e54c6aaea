//go:build unix && !linux

package cli_test

import "syscall"

func endsWithTests() *syscall.SysProcAttr { return nil }

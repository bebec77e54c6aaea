//go:build unix && !linux

package worker

import "syscall"

// ownGroup makes a command leader of a group, that is ended as a whole.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Orphans go to init here: what leaves the group of its own accord is lost.
const adoptsOrphans = false

func adoptOrphans() error { return nil }

func descendants() []int { return nil }

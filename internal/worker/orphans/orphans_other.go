//go:build !linux

package orphans

import "syscall"

// Adopts says that [Adopt] can be had. Orphans go to init here: what leaves its process
// group of its own accord is lost.
const Adopts = false

// Adopt does nothing here.
func Adopt() error { return nil }

// Signal does nothing here: the processes below one are not known.
func Signal(int, syscall.Signal) {}

// Below returns nil here: the processes below one are not known.
func Below(int) []int { return nil }

//go:build !linux

package netnstest

// Enter does nothing: only Linux has network namespaces.
func Enter() {}

// Inside returns false.
func Inside() bool { return false }

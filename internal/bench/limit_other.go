//go:build !unix

package main

// fdLimit: there is none to ask for.
func fdLimit() (int, bool) { return 0, false }

//go:build !unix

package bench

// fdLimit: there is none to ask for.
func fdLimit() (int, bool) { return 0, false }

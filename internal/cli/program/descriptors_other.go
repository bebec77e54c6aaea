//go:build !unix

package program

// fewDescriptors is false: there is no such limit.
func fewDescriptors() bool { return false }

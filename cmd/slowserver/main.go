// Slowserver is an HTTP server that answers late, and says every few seconds
// which TCP connections it really has, by state.
//
// Usage:
//
//	slowserver --help
package main

import (
	"os"

	"socketlab/internal/cli"
)

func main() {
	os.Exit(cli.Main("slowserver", os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

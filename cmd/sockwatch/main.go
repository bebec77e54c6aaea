// Sockwatch plays connection-management incidents, faulty code beside fixed
// code, counts every socket by state, and compares.
//
// Usage:
//
//	sockwatch --help
package main

import (
	"os"

	"socketlab/internal/cli"
)

func main() {
	os.Exit(cli.Main("sockwatch", os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

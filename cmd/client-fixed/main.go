// Client-fixed plays a scenario's load with the fixed code of its pair.
//
// Usage:
//
//	client-fixed --help
package main

import (
	"os"

	"socketlab/internal/cli"
)

func main() {
	os.Exit(cli.Main("client-fixed", os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// Client-faulty plays a scenario's load with the faulty code of its pair.
//
// Usage:
//
//	client-faulty --help
package main

import (
	"os"

	"socketlab/internal/cli"
)

func main() {
	os.Exit(cli.Main("client-faulty", os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

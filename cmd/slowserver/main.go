// Slowserver is an HTTP server that answers late, and says every few seconds
// which TCP connections it really has, by state.
//
// Usage:
//
//	slowserver --help
package main

import (
	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
)

func main() { program.Main(slowserver.Command) }

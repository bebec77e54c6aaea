// Client-fixed plays a scenario's load with the fixed code of its pair.
//
// Usage:
//
//	client-fixed --help
package main

import (
	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/scenario"
)

func main() { program.Main(client.Command(scenario.Fixed)) }

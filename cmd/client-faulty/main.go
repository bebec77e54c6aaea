// Client-faulty plays a scenario's load with the faulty code of its pair.
//
// Usage:
//
//	client-faulty --help
package main

import (
	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/scenario"
)

func main() { program.Main(client.Command(scenario.Faulty)) }

// Sockwatch plays connection-management incidents, faulty code beside fixed
// code, counts every socket by state, and compares.
//
// Usage:
//
//	sockwatch --help
package main

import "socketlab/internal/cli"

func main() { cli.Main() }

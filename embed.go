// Package socketlab holds the sources of the programs that a run is played with, so
// that sockwatch can build them with another version of Go, wherever it is installed.
package socketlab

import "embed"

// Programs are the packages of those programs.
func Programs() []string {
	return []string{"./cmd/client-faulty", "./cmd/client-fixed", "./cmd/slowserver"}
}

// Sources are the files of the module from which [Programs] are built, on any system,
// without the modules that they depend on: go.mod and go.sum name those.
//
//go:embed cmd/client-faulty/*[^t].go
//go:embed cmd/client-fixed/*[^t].go
//go:embed cmd/slowserver/*[^t].go
//go:embed go.mod
//go:embed go.sum
//go:embed internal/cli/client/*[^s]t.go
//go:embed internal/cli/client/*[^t].go
//go:embed internal/cli/program/*[^s]t.go
//go:embed internal/cli/program/*[^t].go
//go:embed internal/cli/slowserver/*[^t].go
//go:embed internal/loadgen/*[^s]t.go
//go:embed internal/loadgen/*[^t].go
//go:embed internal/metric/*[^t].go
//go:embed internal/regular/*[^t].go
//go:embed internal/scenario/*[^s]t.go
//go:embed internal/scenario/*[^t].go
//go:embed internal/series/*[^s]t.go
//go:embed internal/series/*[^t].go
//go:embed internal/server/*[^s]t.go
//go:embed internal/server/*[^t].go
//go:embed internal/socketstats/*[^t].go
//go:embed internal/sockopt/*[^s]t.go
//go:embed internal/sockopt/*[^t].go
//go:embed internal/tcpserver/*[^t].go
//go:embed internal/toydb/*[^t].go
//go:embed internal/toydb/connpool/*[^t].go
//go:embed internal/toydb/sqldriver/*[^t].go
//go:embed internal/verdict/kind/*[^e]st.go
//go:embed internal/verdict/kind/*[^t].go
//go:embed internal/where/*[^t].go
//go:embed internal/words/*[^t].go
//go:embed internal/worker/*[^s]t.go
//go:embed internal/worker/*[^t].go
//go:embed internal/worker/netfault/*[^s]t.go
//go:embed internal/worker/netfault/*[^t].go
//go:embed internal/worker/orphans/*[^t].go
//go:embed scenarios/*/*.go
//go:embed scenarios/*/lesson.md
//go:embed scenarios/*/scenario.yaml
//go:embed scenarios/*[^e]st.go
//go:embed scenarios/*[^t].go
var Sources embed.FS

// Package scenarios is the catalogue: a folder for each incident, with its
// script, the code of both sides, and its lesson.
//
// The lab, its commands and its tests know scenarios only through this
// package. To add one, make its folder, and let go test ./scenarios -run List
// -update write list.go.
package scenarios

import (
	"embed"
	"fmt"
	"net/http"
	"slices"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
)

// The lessons and the code are only in programs that show them.
var (
	//go:embed */scenario.yaml
	scripts embed.FS
	//go:embed */faulty.go */fixed.go */lesson.md
	texts embed.FS
)

// Default is the scenario of the original incident.
const Default = "transport-per-request"

type (
	newCaller  = func(loadgen.Target) loadgen.Caller
	newHandler = func(loadgen.Target) http.Handler
)

// pair is the code of a scenario. The sides differ in the client, in the server,
// or in what the server does for a request; the rest is the same for both.
type pair struct {
	id                      string
	faulty, fixed           newCaller
	serveFaulty, serveFixed server.ServeFunc
	// handleFaulty and handleFixed stand in the middle: they are in the first
	// server, and clients of the one behind it.
	handleFaulty, handleFixed newHandler
}

// IDs lists the scenarios, in the order in which they are best taught.
func IDs() []string {
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.id
	}
	return ids
}

// Has reports whether there is a scenario id.
func Has(id string) bool { return slices.Contains(IDs(), id) }

func find(id string) pair {
	i := slices.IndexFunc(list, func(p pair) bool { return p.id == id })
	if i < 0 {
		panic("scenarios: no scenario " + id) // callers ask Has first
	}
	return list[i]
}

// Script returns the script of scenario id.
func Script(id string) (scenario.Script, error) {
	name := id + "/scenario.yaml"
	s, err := scenario.Parse("scenarios/"+name, read(scripts, name), IDs())
	if err == nil && s.ID != id {
		err = fmt.Errorf("scenarios/%s: its id is %q", name, s.ID)
	}
	return s, err
}

// Lesson returns the lesson of scenario id, as Markdown.
func Lesson(id string) string { return string(read(texts, id+"/lesson.md")) }

// Code returns the Go source of one side of scenario id, as it was compiled.
func Code(id string, side scenario.Side) string {
	return string(read(texts, id+"/"+string(side)+".go"))
}

func read(files embed.FS, name string) []byte {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the embed pattern puts all four files of each folder in
	}
	return data
}

// NewCaller returns the client code of one side of scenario id. Where the
// sides differ in the server, both get the same plain client.
func NewCaller(id string, side scenario.Side, t loadgen.Target) loadgen.Caller {
	p := find(id)
	switch {
	case p.faulty == nil:
		return loadgen.NewPlain(t)
	case side == scenario.Faulty:
		return p.faulty(t)
	default:
		return p.fixed(t)
	}
}

// Serve returns the server code of one side of scenario id, or nil where the
// sides differ in the client and the server is the lab's own.
func Serve(id string, side scenario.Side) server.ServeFunc {
	if side == scenario.Faulty {
		return find(id).serveFaulty
	}
	return find(id).serveFixed
}

// Handler returns what one side of scenario id does for a request, where its
// code stands between the client and another server, the target; or nil.
func Handler(id string, side scenario.Side, t loadgen.Target) http.Handler {
	p := find(id)
	switch {
	case p.handleFaulty == nil:
		return nil
	case side == scenario.Faulty:
		return p.handleFaulty(t)
	default:
		return p.handleFixed(t)
	}
}

// Relays reports whether the code of scenario id stands in the middle, so that
// its first server opens connections of its own.
func Relays(id string) bool { return id != "" && find(id).handleFaulty != nil }

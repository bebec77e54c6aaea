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
	//go:embed */*.go */lesson.md
	texts embed.FS
)

// Default is the scenario of the original incident.
const Default = "transport-per-request"

// code is that of one scenario: either its sides differ in the client, or in the
// server, or in what the first server does for a request as a client of the one behind
// it. Each way has a list of its own, so that a program links only what it uses.
type code[T any] struct {
	id            string
	faulty, fixed T
}

// of returns the code of one side of scenario id, or the zero value where the sides
// differ in another way. A scenario that is not there panics: callers ask Has first.
func of[T any](list []code[T], id string, side scenario.Side) (found T) {
	if !Has(id) {
		panic("scenarios: no scenario " + id)
	}
	for _, c := range list {
		switch {
		case c.id != id:
		case side == scenario.Faulty:
			return c.faulty
		default:
			return c.fixed
		}
	}
	return found
}

// IDs lists the scenarios, in the order in which they are best taught.
func IDs() []string { return slices.Clone(ids) }

// Has reports whether there is a scenario id.
func Has(id string) bool { return slices.Contains(ids, id) }

// Script returns the script of scenario id.
func Script(id string) (scenario.Script, error) {
	name := id + "/scenario.yaml"
	s, err := scenario.Parse("scenarios/"+name, read(scripts, name), IDs())
	if err == nil && s.ID != id {
		err = fmt.Errorf("scenarios/%s: its id is %q", name, s.ID)
	}
	if err == nil && s.Folder != "" {
		err = fmt.Errorf("scenarios/%s: its code is a folder, which is for scripts of one's own", name)
	}
	return s, err
}

// Client returns the Go source of the client that both sides of scenario id get, which
// is in client.go; "" where there is none.
func Client(id string) string {
	source, err := texts.ReadFile(id + "/client.go")
	if err != nil {
		return ""
	}
	return string(source)
}

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
// sides differ in the server, both get the same client: that of the scenario's
// client.go, or a plain one.
func NewCaller(id string, side scenario.Side, t loadgen.Target) loadgen.Caller {
	if client := of(clients, id, side); client != nil {
		return client(t)
	}
	if client := of(sharedClients, id, side); client != nil {
		return client(t)
	}
	return loadgen.NewPlain(t)
}

// Serve returns the server code of one side of scenario id, or nil where the
// sides differ in the client and the server is the lab's own.
func Serve(id string, side scenario.Side) server.ServeFunc { return of(servers, id, side) }

// Handler returns what one side of scenario id does for a request, where its
// code stands between the client and another server, the target; or nil.
func Handler(id string, side scenario.Side, t loadgen.Target) http.Handler {
	if handler := of(handlers, id, side); handler != nil {
		return handler(t)
	}
	return nil
}

// Relays reports whether the code of scenario id stands in the middle, so that
// its first server opens connections of its own.
func Relays(id string) bool { return id != "" && of(handlers, id, scenario.Faulty) != nil }

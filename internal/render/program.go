package render

import (
	"strings"

	"socketlab/internal/fixes"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// program says what a subject runs, as far as it is known: "python 3.11, app.py,
// database client, speaks postgres by psycopg2".
func program(id *series.Identity) string {
	var parts []string
	add := func(words ...string) {
		if words[0] != "" {
			parts = append(parts, strings.TrimSpace(strings.Join(words, " ")))
		}
	}
	add(id.Runtime, id.RuntimeVersion)
	add(id.Module)
	add(id.Role)
	if id.Protocol != "" {
		parts = append(parts, "speaks "+strings.ReplaceAll(id.Protocol, ",", " and "))
	}
	if id.Library != "" {
		parts[len(parts)-1] += " by " + id.Library
	}
	if id.Peer != "" {
		parts = append(parts, "its server is "+id.Peer)
	}
	return strings.Join(parts, ", ")
}

// explainCommand is the command that says more about a verdict, for the subject's
// runtime where there is more for it.
func explainCommand(v verdict.Verdict, id *series.Identity) string {
	text := "sockwatch explain " + string(v.Kind)
	if id.Runtime != "" && len(fixes.Rows(string(v.Kind), id.Runtime)) > 0 {
		text += " --for " + id.Runtime
	}
	return text
}

// addProgram adds to a subject's JSON what it runs.
func (o *Object) addProgram(id *series.Identity) {
	for _, of := range []struct{ name, value string }{
		{"runtime", id.Runtime},
		{"runtime_version", id.RuntimeVersion},
		{"module", id.Module},
		{"role", id.Role},
		{"protocol", id.Protocol},
		{"library", id.Library},
		{"peer", id.Peer},
	} {
		o.add(of.name, of.value, of.value == "")
	}
}

// Package fixes says what to do about a kind of verdict in the words of the program
// that has it: with the names of its runtime's API, or the settings of the server that
// it is. table.yaml has all of it, each row with its source.
//
// What a program is said to be comes from its identity. Where that does not say enough
// there is no row, and the general fix of the kind's rule stands.
package fixes

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"socketlab/internal/series"
)

//go:embed table.yaml
var text []byte

var (
	read sync.Once
	rows []Row
)

// table is read when it is first asked for, which takes some 20 ms. It is a function,
// because a variable with the same would be linked into programs that do not ask.
func table() []Row {
	read.Do(func() {
		if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
			panic(err) // it is in the binary
		}
	})
	return rows
}

// Row is one fix.
type Row struct {
	// Kinds are the kinds of verdict that it is for, separated by spaces.
	Kinds string
	// Runtime is as in [series.Identity]; "" is any.
	Runtime string
	// Protocol is what the connections speak; "" is anything. A row for "http" is also
	// taken where the protocol is not known, and then says that it is about HTTP.
	Protocol string
	// Library is the client library, Role as in [series.Identity] and Of the kind of
	// descriptor that leaks; "" is any.
	Library, Role, Of string
	// Fix is one sentence or two.
	Fix string
	// Code shows it, in the runtime's language; "" if the sentence says all.
	Code string
	// Source is where that is documented.
	Source string
}

// HTTP is the protocol whose rows stand in where the protocol is not known.
const HTTP = "http"

// For returns what to change in a program, "" where the table does not know better
// than the kind's rule. of is the kind of descriptor that a descriptor-leak is of; ""
// for other kinds.
func For(kind string, id *series.Identity, of string) string {
	r, ok := best(kind, program{runtime: id.Runtime, protocol: id.Protocol, library: id.Library, role: id.Role, of: of})
	switch {
	case !ok:
		return ""
	case r.Protocol == HTTP && id.Protocol != HTTP:
		return "Where it speaks HTTP: " + r.Fix + otherwise(kind, id)
	}
	return r.Fix
}

// otherwise is what to change where a program that may speak HTTP does not.
func otherwise(kind string, id *series.Identity) string {
	if id.Protocol != "" {
		return "" // it speaks others beside, which have rows of their own
	}
	switch kind {
	case "idle-connections-not-reused":
		return " Of another protocol: ask again on the connection that is open, or close it in every path, also after an error."
	case "connection-churn", "port-exhaustion":
		return " Of another protocol: keep the connection and ask again on it."
	}
	return ""
}

// Rows are the fixes of a kind for a runtime: those for HTTP first, then those for any
// protocol, and each of these before what is for one library or role.
func Rows(kind, runtime string) []Row {
	var rows []Row
	for _, r := range table() {
		if r.is(kind) && r.Runtime == family(runtime) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Compare(a.rank(), b.rank())
	})
	return rows
}

func (r *Row) rank() int {
	rank := 4
	switch r.Protocol {
	case HTTP:
		rank = 0
	case "":
		rank = 2
	}
	if r.Library+r.Role+r.Of != "" {
		rank++
	}
	return rank
}

// Speaking are the fixes for one protocol.
func Speaking(protocol string) []Row {
	return slices.DeleteFunc(slices.Clone(table()), func(r Row) bool { return r.Protocol != protocol })
}

// Known returns the name that the table has for a runtime, and false if it has none.
func Known(runtime string) (name string, ok bool) {
	name = family(runtime)
	return name, slices.ContainsFunc(table(), func(r Row) bool { return name != "" && r.Runtime == name })
}

// Runtimes lists the runtimes that have a row, of a kind or of any if kind is "".
func Runtimes(kind string) []string {
	var names []string
	for _, r := range table() {
		if r.Runtime != "" && (kind == "" || r.is(kind)) {
			names = append(names, r.Runtime)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *Row) is(kind string) bool {
	for field := range strings.FieldsSeq(r.Kinds) {
		if field == kind {
			return true
		}
	}
	return false
}

// families are the names of runtimes that share the rows of another, as a process or a
// person may have them.
var families = map[string]string{
	"bun": "node", "deno": "node", "nodejs": "node", "javascript": "node", "js": "node", "typescript": "node",
	"golang": "go", "py": "python", "python3": "python", "jvm": "java", "kotlin": "java", "scala": "java", "rails": "ruby",
	".net": "dotnet", "c#": "dotnet", "csharp": "dotnet", "elixir": "erlang", "httpd": "apache", "apache2": "apache",
	"postgresql": "postgres", "mariadb": "mysql", "valkey": "redis",
}

func family(runtime string) string {
	runtime = strings.ToLower(runtime)
	if of, ok := families[runtime]; ok {
		return of
	}
	return runtime
}

type program struct{ runtime, protocol, library, role, of string }

// best is the row that says most about the program.
func best(kind string, p program) (found Row, ok bool) {
	most := -10
	p.runtime = family(p.runtime)
	rows := table()
	for i := range rows {
		if n, fits := rows[i].fits(p); fits && n > most && rows[i].is(kind) {
			found, most, ok = rows[i], n, true
		}
	}
	return found, ok
}

// fits reports whether a row is about the program, and how much it says about it.
func (r *Row) fits(p program) (closeness int, ok bool) {
	if r.Protocol == HTTP && (p.protocol == "" || strings.Contains(p.protocol, ",")) {
		p.protocol = HTTP // it may be: see For. A row for any protocol is closer.
		closeness -= 5
	}
	for _, of := range []struct {
		want, have string
		weight     int
	}{
		{r.Runtime, p.runtime, 2}, {r.Protocol, p.protocol, 4}, {r.Library, p.library, 8}, {r.Role, p.role, 5}, {r.Of, p.of, 16},
	} {
		switch of.want {
		case "":
		case of.have:
			closeness += of.weight
		default:
			return 0, false
		}
	}
	return closeness, true
}

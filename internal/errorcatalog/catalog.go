// Package errorcatalog says what the errors are that a client of a network meets:
// what each means, the Go error as it comes, how code tells it from others, what
// the sockets at both ends are then, and what handling makes it worse or better.
//
// What it says of Go is held to real sockets by the tests: they make each error,
// walk it with errors.Unwrap, and run the very lines of [Entry.Test].
package errorcatalog

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/goccy/go-yaml"
)

//go:embed errors.yaml
var text []byte

// entries are read when they are first asked for: few commands do.
var entries = sync.OnceValue(func() (all []Entry) {
	if err := yaml.UnmarshalWithOptions(text, &all, yaml.Strict()); err != nil {
		panic(err) // it is in the binary
	}
	return all
})

// Entry is what there is to say of one error.
type Entry struct {
	// Name is the one that failed requests are counted under, or, where Counted
	// is not "", a finer one; Aliases are what an engineer may type instead.
	Name, Counted string
	Aliases       []string
	// Title is one line, Means a few sentences.
	Title, Means string
	// Chains are the forms in which Go gives it.
	Chains []Chain
	// Test is Go code that tells it: statements, and a condition on the last
	// line. It sees err, and resp where there is one. "" if nothing does.
	Test string
	// Also are other entries that Test can be true of.
	Also []string
	// Here is the socket at this end when the error comes, There the one at the
	// other end, After what becomes of both.
	Here, There, After string
	// Worse is the naive handling, Better the one to prefer.
	Worse, Better string
	// Sources are standards and the source code of kernel and Go.
	Sources []string
	// Scenarios show it; some may not be in the catalogue yet.
	Scenarios []string
}

// Chain is one form of an error.
type Chain struct {
	// When it comes like this; "" if it always does.
	When string
	// Errors are the types from the outermost in, joined by " -> ". The last is
	// the name of the value if it has one (syscall.ECONNRESET, io.EOF). "nil" is
	// no error at all. Where it differs from run to run, "A or B".
	Errors string
}

// In returns the entries of which a text, such as a line of a log, has the name or an
// alias of several words, the one of which it has most first.
func In(text string) []Entry {
	type hit struct {
		Entry
		length int
	}
	in := " " + strings.Join(wordsOf(text), " ") + " "
	var hits []hit
	for _, e := range entries() {
		most := 0
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			words := wordsOf(name)
			telling := len(words) > 1 || (len(name) > 5 && name == strings.ToUpper(name)) || strings.HasSuffix(name, "Exception")
			if telling && strings.Contains(in, " "+strings.Join(words, " ")+" ") {
				most = max(most, len(name))
			}
		}
		if most > 0 {
			hits = append(hits, hit{e, most})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.length - a.length })
	var found []Entry
	for _, h := range hits {
		found = append(found, h.Entry)
	}
	return found
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// Find returns the entry of a name or an alias. Case does not matter, and
// spaces, dashes and underscores are the same.
func Find(name string) (Entry, bool) {
	all, want := entries(), plain(name)
	i := slices.IndexFunc(all, func(e Entry) bool {
		return plain(e.Name) == want ||
			slices.ContainsFunc(e.Aliases, func(alias string) bool { return plain(alias) == want })
	})
	if i < 0 {
		return Entry{}, false
	}
	return all[i], true
}

// All lists the entries: errors of connecting, of names, of connections in use,
// of time, of answers, of this machine.
func All() []Entry { return slices.Clone(entries()) }

func plain(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" _-", r) })
	return strings.TrimPrefix(strings.Join(words, " "), "syscall.")
}

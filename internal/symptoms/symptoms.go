// Package symptoms leads from what somebody has in hand, a line of a log or the name of
// a state, to the kinds of verdict that are behind it. table.yaml has all of it.
package symptoms

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/goccy/go-yaml"
)

//go:embed table.yaml
var text []byte

// table is read when it is first asked for.
var table = sync.OnceValue(func() (entries []Entry) {
	if err := yaml.UnmarshalWithOptions(text, &entries, yaml.Strict()); err != nil {
		panic(err) // it is in the binary
	}
	return entries
})

// Entry is what some words say.
type Entry struct {
	// Phrases are the words, as programs print them or people say them. Case, quotes
	// and what joins words do not matter.
	Phrases []string
	// Means is what they say, in one sentence or two.
	Means string
	// Kinds are the kinds of verdict that may be behind it, the likeliest first.
	Kinds []string
	// Protocol is the protocol that the words name; "" for most.
	Protocol string
	// Alone says that the words mean this only where nothing else was typed: they are
	// ordinary words, too.
	Alone bool
}

// Match is an entry, and the phrase of it that was found.
type Match struct {
	Entry
	Phrase string
}

// Find returns the entries whose words are in a text, which may be a whole line of a
// log: first those of which most was found. Words must stand together.
func Find(text string) []Match {
	in := plain(text)
	var found []Match
	for _, e := range table() {
		longest := ""
		for _, phrase := range e.Phrases {
			p := plain(phrase)
			if (in == p || (!e.Alone && strings.Contains(in, p))) && len(phrase) > len(longest) {
				longest = phrase
			}
		}
		if longest != "" {
			found = append(found, Match{e, longest})
		}
	}
	slices.SortStableFunc(found, func(a, b Match) int { return cmp.Compare(len(b.Phrase), len(a.Phrase)) })
	return found
}

// Of lists the kinds that may be behind a text, the likeliest first, each once.
func Of(text string) (kinds []string) {
	for _, m := range Find(text) {
		for _, kind := range m.Kinds {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds
}

// All lists the entries.
func All() []Entry { return slices.Clone(table()) }

// plain is text in small letters, each word between spaces.
func plain(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(words, " ") + " "
}

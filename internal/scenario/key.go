package scenario

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Key declares one setting of a server. Everything that users see of it is made
// from this declaration: the key in a script and its check, the flag of
// slowserver, the JSON schema, the table in docs/scripts.md and the help text.
type Key struct {
	// Name is the key in a script. The flag has hyphens in place of underscores.
	Name string
	// Text says in a phrase what the key does: "wait this long before each
	// response". A name in braces is that of another key, and is shown as it is
	// written there: pause_for in a script, --pause-for on the command line.
	Text string
	// Default is the value of a script that does not set the key, and Flag that of
	// a slowserver that does not. nil is the zero value for Default, and Default
	// for Flag.
	Default, Flag any
	// Min and Max bound a number, and Max the length of a list; Max 0 is no
	// bound.
	Min, Max int
	// OneOf lists the words that a text, or each item of a list of texts, may be.
	// Empty is any.
	OneOf []string
	// Needs names another key without which this one does nothing.
	Needs string

	kind reflect.Type
}

// KeyOf is a key with values of type T: Duration, int, bool, string, []string,
// or a slice of structs with yaml tags (such a key is no flag).
type KeyOf[T any] struct{ *Key }

// KeySet is keys that go together: a protocol has some sets of them.
type KeySet []*Key

// NewKey declares a key of a set. It is for package variables: a key is known once
// a [Protocol] that has its set is registered.
func NewKey[T any](set *KeySet, k Key) KeyOf[T] {
	k.kind = reflect.TypeFor[T]()
	if k.Default == nil {
		k.Default = reflect.Zero(k.kind).Interface()
	}
	if k.Flag == nil {
		k.Flag = k.Default
	}
	*set = append(*set, &k)
	return KeyOf[T]{&k}
}

// Setting is a key with a value.
type Setting struct {
	Key   *Key
	Value any // of the key's type
}

// Is returns the key with a value.
func (k KeyOf[T]) Is(value T) Setting { return Setting{k.Key, value} }

// Of returns the value of the key for a server.
func (k KeyOf[T]) Of(s Server) T {
	if v, ok := s.values[k.Name]; ok {
		return v.(T)
	}
	return k.Default.(T)
}

// FlagName is the name of a key's flag, without its hyphens in front.
func (k *Key) FlagName() string { return strings.ReplaceAll(k.Name, "_", "-") }

// IsFlag reports whether a command line can hold the key's values.
func (k *Key) IsFlag() bool {
	return k.kind.Kind() != reflect.Slice || k.kind.Elem().Kind() != reflect.Struct
}

// onCommandLine is what a command line calls a key, and inScript what a script
// does.
func onCommandLine(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }
func inScript(key string) string      { return key }

// Usage is the key's text for a command line. It names the protocols of a key that
// the default protocol has not.
func (k *Key) Usage() string {
	text := k.describe(onCommandLine)
	if names := k.Speakers(); !slices.Contains(names, DefaultProtocol) {
		text += " (" + strings.Join(names, ", ") + ")"
	}
	return text
}

// describe is the key's text, in which word says how other keys are written.
func (k *Key) describe(word func(key string) string) string {
	text := otherKey.ReplaceAllStringFunc(k.Text, func(key string) string { return word(key[1 : len(key)-1]) })
	if len(k.OneOf) > 0 {
		text += ": " + strings.Join(k.OneOf, ", ")
	}
	return text
}

var otherKey = regexp.MustCompile(`\{[a-z_]+\}`)

// check says what is wrong with a value of the key, and at which item of a list
// (-1 for the value itself); "" is nothing.
func (k *Key) check(value any) (item int, problem string) {
	switch v := value.(type) {
	case Duration:
		if v < 0 {
			return -1, fmt.Sprintf("%s is negative", v)
		}
	case int:
		switch {
		case k.Max > 0 && (v < k.Min || v > k.Max):
			return -1, fmt.Sprintf("%d is not between %d and %d", v, k.Min, k.Max)
		case v < k.Min:
			return -1, fmt.Sprintf("%d is negative", v)
		}
	case string:
		if len(k.OneOf) > 0 && !slices.Contains(k.OneOf, v) {
			return -1, fmt.Sprintf("is %q: use one of %s", short(v), strings.Join(k.OneOf, ", "))
		}
	case []string:
		if k.Max > 0 && len(v) > k.Max {
			return -1, fmt.Sprintf("has %d values: the limit is %d", len(v), k.Max)
		}
		for i, word := range v {
			if len(k.OneOf) > 0 && !slices.Contains(k.OneOf, word) {
				return i, fmt.Sprintf("has %q: use some of %s", short(word), strings.Join(k.OneOf, ", "))
			}
		}
	}
	return -1, ""
}

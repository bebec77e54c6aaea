package loadgen

import "strings"

// NamedError is an error that another program has named: a request of a client that is
// not the lab's own. Its text is a name as [ErrorName] gives them, or any other.
type NamedError string

// Error returns the text.
func (e NamedError) Error() string { return string(e) }

// name is the text where it has the form of a name, and "other" for anything else.
func (e NamedError) name() string {
	const longest = 40
	text := string(e)
	if text == "" || len(text) > longest || strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "other"
	}
	return text
}

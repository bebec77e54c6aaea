package loadgen

import "strings"

// NamedError is an error that another program has named: a request of a client that is
// not the lab's own. Its text is a name as [ErrorName] gives them, or any other.
type NamedError string

// Error returns the text.
func (e NamedError) Error() string { return string(e) }

// texts are parts of the texts, in lower case, that languages and their libraries have
// for errors of sockets, and their names as [ErrorName] gives them. The first that is
// found counts: texts about a refused connection may say which timeout it had.
var texts = []struct{ part, name string }{
	{"too many open files", "EMFILE"},
	{"emfile", "EMFILE"},
	{"assign requested address", "EADDRNOTAVAIL"},
	{"eaddrnotavail", "EADDRNOTAVAIL"},
	{"refused", "ECONNREFUSED"},
	{"net.connectexception", "ECONNREFUSED"}, // Java's HttpClient has no text
	{"reset", "ECONNRESET"},
	{"remotedisconnected", "ECONNRESET"}, // Python
	{"timeout", "timeout"},
	{"timed out", "timeout"},
	{"timedout", "timeout"},
	{"deadline exceeded", "timeout"},
	{"aborterror", "timeout"}, // Go; Node
}

// name is the text where it has the form of a name, the name of a known error that it
// speaks of, and "other" for anything else.
func (e NamedError) name() string {
	const longest = 40
	text := string(e)
	if text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return text
	}
	lower := strings.ToLower(text)
	for _, t := range texts {
		if strings.Contains(lower, t.part) {
			return t.name
		}
	}
	return "other"
}

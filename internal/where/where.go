// Package where has the values that say which lines of a program hold its
// connections: what every way to learn it fills, and every face shows. It knows none
// of these ways.
package where

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// State is what the holder of a connection does with it.
type State string

// The states.
const (
	// Queued: a request waits until its pool has a connection for it.
	Queued State = "waiting-for-connection"
	// Dialling: the connection is being made.
	Dialling State = "dialling"
	// Awaiting: the request was sent, and the response has not begun.
	Awaiting State = "awaiting-response"
	// BodyOpen: the response's header has arrived, and its body was neither read to its
	// end nor closed.
	BodyOpen State = "body-not-finished"
	// Reading: a goroutine waits in a read, of a response's body or of the connection.
	Reading State = "reading"
	// Idle: it is in its pool, for any request to take.
	Idle State = "idle"
	// InUse: its pool has lent it, as database/sql does to Rows, Tx and Conn.
	InUse State = "in-use"
	// TakenOver: the program took it out of net/http: it was hijacked, or upgraded to
	// another protocol.
	TakenOver State = "taken-over"
	// Open: it belongs to no pool that is known, so that nothing says more.
	Open State = "open"
)

// states are in the order in which they matter, with what a sentence says of them.
var states = []struct {
	state State
	words string
}{
	{BodyOpen, "the response's body is not finished"},
	{TakenOver, "taken over by the program"},
	{InUse, "lent by the pool and not given back"},
	{Queued, "waiting for a connection of the pool"},
	{Awaiting, "waiting for the response"},
	{Reading, "waiting in a read"},
	{Dialling, "being dialled"},
	{Open, "open"},
	{Idle, "idle in the pool"},
}

// Words says the state in a sentence.
func (s State) Words() string {
	for _, of := range states {
		if of.state == s {
			return of.words
		}
	}
	return string(s)
}

func (s State) rank() int {
	for i, of := range states {
		if of.state == s {
			return i
		}
	}
	return len(states)
}

// Site is a place in a program's source.
type Site struct {
	// Function is the name with its package's path, as Go writes it.
	Function string `json:"function"`
	// File is as the compiler was given it; "" where it is not known, and Line is 0
	// then.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Short is the place as people name it, "main.leak main.go:46".
func (s Site) Short() string { return s.In(s.ShortFunction(), path.Base(s.File)) }

// Long is the place with the whole paths of package and file.
func (s Site) Long() string { return s.In(s.Function, s.File) }

// In is the place with these names of its function and file.
func (s Site) In(function, file string) string {
	if s.Line == 0 {
		return function
	}
	return fmt.Sprintf("%s %s:%d", function, file, s.Line)
}

// ShortFunction is the function with the last part of its package's path.
func (s Site) ShortFunction() string { return s.Function[strings.LastIndex(s.Function, "/")+1:] }

// Libraries returns what reports of the frames of one stack whether they are of libraries. library
// does so by a function's name. A closure of a library's function that the compiler has
// inlined into one of the program has the program's name, as main.serve.StripPrefix.func1, and its
// file is in the folder of other frames of that library.
func Libraries(stack []Site, library func(function string) bool) func(Site) bool {
	folders := map[string]bool{}
	for _, s := range stack {
		if library(s.Function) && path.Dir(s.File) != "." { // without a folder it may be any
			folders[path.Dir(s.File)] = true
		}
	}
	return func(s Site) bool { return library(s.Function) || folders[path.Dir(s.File)] }
}

// LastingFor is longer than most responses are read for.
const LastingFor = 3 * time.Second

// UnreadFor is longer than a program that means to read on pauses.
const UnreadFor = 30 * time.Second

// MostCallers is how many callers of a line are kept.
const MostCallers = 5

// Caller is a place that calls the function that holds connections.
type Caller struct {
	Site
	// Count is how many of the group's connections, or requests, it led to.
	Count int `json:"count"`
}

// AddCaller counts a caller.
func (g *Group) AddCaller(s Site, n int) {
	i := slices.IndexFunc(g.Callers, func(c Caller) bool { return c.Site == s })
	if i < 0 {
		g.Callers = append(g.Callers, Caller{s, n})
		return
	}
	g.Callers[i].Count += n
}

// Group is the connections that the same line holds in the same state.
type Group struct {
	// Site is the first frame outside of the standard library and of well-known
	// client packages that took, used or dialled the connection last.
	Site  Site  `json:"site"`
	State State `json:"state"`
	// Callers are the next frames of the program's own that led there, those with most
	// connections first: at most [MostCallers]. Absent where there is none.
	Callers []Caller `json:"callers,omitempty"`
	// Pool is the package whose pool the connections are of, such as "net/http";
	// absent if they are of none.
	Pool string `json:"pool,omitempty"`
	// Pools is how many pools of that package they are of; absent where it is not known.
	Pools int `json:"pools,omitempty"`
	// Connections is how many there are; absent of a group of requests.
	Connections int `json:"connections,omitempty"`
	// Requests is how many requests are in the state, where it is requests that can be
	// counted and not connections: in a queue, or on connections that they share.
	Requests int `json:"requests,omitempty"`
	// Uses is how often they were taken in the time that it was looked at; absent where
	// nothing counts it.
	Uses int64 `json:"uses,omitempty"`
	// OldestMS is the time since the last use of the one that was used longest ago;
	// absent where it is not known.
	OldestMS int64 `json:"oldest_use_ms,omitempty"`
	// Lasting is how many of them were last used [LastingFor] ago or longer, or have waited
	// for so long; of open bodies, those of which nothing was read for so long.
	Lasting int `json:"lasting,omitempty"`
	// Unread is how many of its bodies are open, without a goroutine that waits to read
	// one, and had nothing read of them for [UnreadFor] or longer.
	Unread int `json:"unread,omitempty"`
	// Stack has all frames of one of the connections, the innermost first; absent
	// unless it was asked for.
	Stack []Site `json:"stack,omitempty"`
}

// Count is how many requests the group has or, where they are not known, connections.
func (g *Group) Count() int { return cmp.Or(g.Requests, g.Connections) }

// Unknown is connections of which no line is known.
type Unknown struct {
	Connections int `json:"connections"`
	// Reason is a clause: "they were not used while it was looked at".
	Reason string `json:"reason"`
	// State is theirs, if it is known all the same; Lasting and Unread are those of a Group.
	State   State `json:"state,omitempty"`
	Lasting int   `json:"lasting,omitempty"`
	Unread  int   `json:"unread,omitempty"`
}

// Report is which lines hold the connections of one process.
type Report struct {
	// Source is how it was learnt, such as "uprobes".
	Source string `json:"source"`
	// LookedMS is for how long the program was looked at; absent of what is of one
	// moment.
	LookedMS int64 `json:"looked_ms,omitempty"`
	// Connections is how many connections the process held at the end, those that it
	// accepted and nothing took over left out.
	Connections int `json:"connections"`
	// Groups are by state, those that matter most first, and then by how many they are.
	Groups []Group `json:"groups"`
	// Unknown is the rest of the connections, by reason.
	Unknown []Unknown `json:"unknown,omitempty"`
	// Notes are sentences about what could not be seen and is no count of connections.
	Notes []string `json:"notes,omitempty"`
}

// Sort puts the groups and their callers into the order in which they are shown, and
// leaves out callers that are too many.
func (r *Report) Sort() {
	for i := range r.Groups {
		g := &r.Groups[i]
		slices.SortStableFunc(g.Callers, func(a, b Caller) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		g.Callers = g.Callers[:min(MostCallers, len(g.Callers))]
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(
			cmp.Compare(a.State.rank(), b.State.rank()), cmp.Compare(b.Count(), a.Count()),
			cmp.Compare(a.Site.File, b.Site.File), cmp.Compare(a.Site.Line, b.Site.Line),
		)
	})
}

// Lasting is how many connections were last used [LastingFor] ago or longer and are in a
// state; a nil Report has none.
func (r *Report) Lasting(state State) (n int) {
	if r == nil {
		return 0
	}
	for i := range r.Groups {
		if g := &r.Groups[i]; g.State == state {
			n += g.Lasting
		}
	}
	for _, u := range r.Unknown {
		if u.State == state {
			n += u.Lasting
		}
	}
	return n
}

// Unread counts open bodies of which nothing was read for [UnreadFor] or longer, with those
// of connections whose line is not known. It is 0 of a nil Report.
func (r *Report) Unread() (n int) {
	if r == nil {
		return 0
	}
	for i := range r.Groups {
		n += r.Groups[i].Unread
	}
	for _, u := range r.Unknown {
		n += u.Unread
	}
	return n
}

// Add is two reports in one: of two processes of a subject, from the same source. Either
// may be nil.
func (r *Report) Add(other *Report) *Report {
	if r == nil {
		return other
	}
	sum := *r
	sum.LookedMS = max(r.LookedMS, other.LookedMS)
	sum.Connections += other.Connections
	sum.Groups = slices.Clone(r.Groups)
	for _, g := range other.Groups {
		i := slices.IndexFunc(sum.Groups, func(of Group) bool { return of.Site == g.Site && of.State == g.State && of.Pool == g.Pool })
		if i < 0 {
			sum.Groups = append(sum.Groups, g)
			continue
		}
		of := &sum.Groups[i]
		of.Callers = slices.Clone(of.Callers)
		for _, c := range g.Callers {
			of.AddCaller(c.Site, c.Count)
		}
		of.Connections, of.Requests = of.Connections+g.Connections, of.Requests+g.Requests
		if of.Pools != 0 && g.Pools != 0 {
			of.Pools += g.Pools
		} else { // of one of them it is not known
			of.Pools = 0
		}
		of.Uses, of.Lasting, of.Unread, of.OldestMS = of.Uses+g.Uses, of.Lasting+g.Lasting, of.Unread+g.Unread, max(of.OldestMS, g.OldestMS)
	}
	sum.Sort()
	sum.Unknown = slices.Clone(r.Unknown)
	for _, u := range other.Unknown {
		if i := slices.IndexFunc(sum.Unknown, func(of Unknown) bool { return of.Reason == u.Reason && of.State == u.State }); i >= 0 {
			of := &sum.Unknown[i]
			of.Connections, of.Lasting, of.Unread = of.Connections+u.Connections, of.Lasting+u.Lasting, of.Unread+u.Unread
		} else {
			sum.Unknown = append(sum.Unknown, u)
		}
	}
	sum.Notes = append(slices.Clone(r.Notes), other.Notes...)
	return &sum
}

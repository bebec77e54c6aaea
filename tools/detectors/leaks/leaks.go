// Package leaks has leaks, each as it stands in real programs. Each file is one leak,
// and each call of its function leaks one thing.
package leaks

// Peer is the other end: a server that does everything right.
type Peer struct {
	// URL serves /small, /large, /error and /upgrade over HTTP, and at /visit it
	// requests a page of another server: of the host and port in the query.
	URL string
	// Silent accepts connections and says nothing, and DB is a toydb server: hosts and
	// ports.
	Silent, DB string
}

// Leak leaks once for each call of Once.
type Leak struct {
	Name string
	// What is lost, in words for a table.
	What string
	// Prepare makes what is there for as long as the program; nil makes nothing.
	Prepare func(Peer) error
	Once    func(Peer) error
}

// All are all leaks, and one program without any, which is the last.
var All = []Leak{
	{"body-shared", "response bodies, with one client", nil, bodyShared},
	{"body-client-each", "response bodies, with a client each", nil, bodyClientEach},
	{"body-of-error", "response bodies of errors", nil, bodyOfError},
	{"transport-each", "idle connections: a Transport each", nil, transportEach},
	{"rows-open", "rows of database/sql", openDB, rowsOpen},
	{"dial-kept", "connections that were dialled", nil, dialKept},
	{"read-blocked", "goroutines that read from a silent server", nil, readBlocked},
	{"upgraded", "upgraded connections, client", nil, upgraded},
	{"hijacked", "hijacked connections, server", serveHijacker, hijacked},
	{"listener", "listeners", nil, listener},
	{"ticker", "tickers, with a goroutine each", nil, ticker},
	{"none", "nothing: a shared client, bodies closed", nil, none},
}

// kept holds what a real program keeps in a structure of its own. What nothing refers
// to, the garbage collector closes.
var kept []any

func keep(what any) { kept = append(kept, what) }

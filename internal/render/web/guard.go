package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// policy lets the page use its own files and nothing else, and nobody frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// bodyTimeout is how long a request's body may take.
const bodyTimeout = 5 * time.Second

// guard refuses what did not come from a reader of the page.
type guard struct {
	// base is the path below which everything is, with the token, and url the whole
	// address.
	base   string
	url    string
	beyond bool
	names  []string
	// posts are the paths below base to which something may be sent.
	posts []string
	next  http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.ContentLength != 0 {
		// The server has no limit for a body, as a stream may last. One that never comes
		// would keep its connection, whatever it was sent to.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	}
	switch {
	case !g.knows(r.Host):
		// A name of somebody's that was pointed at this machine (DNS rebinding).
		http.Error(w, "this page has no such name", http.StatusMisdirectedRequest)
	case foreign(r):
		http.Error(w, "not from another site", http.StatusForbidden)
	case !strings.HasPrefix(r.URL.Path, g.base):
		http.Error(w, "the address that sockwatch printed is longer", http.StatusForbidden)
	case r.Method == http.MethodPost && slices.Contains(g.posts, strings.TrimPrefix(r.URL.Path, g.base)):
		g.next.ServeHTTP(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this page is for reading", http.StatusMethodNotAllowed)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// knows reports whether the page may be asked for by this Host. An address needs
// no name server, so that nobody can have pointed it here.
func (g *guard) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return g.beyond || addr.Unmap().IsLoopback()
	}
	return slices.Contains(g.names, strings.ToLower(strings.TrimSuffix(host, ".")))
}

// foreign reports whether another site's page asks. Following a link from there
// is fine, reading the answer is not.
func foreign(r *http.Request) bool {
	if origin := r.Header.Values("Origin"); len(origin) > 1 || (len(origin) == 1 && !strings.EqualFold(origin[0], "http://"+r.Host)) {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

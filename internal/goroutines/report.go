package goroutines

import (
	"context"
	"fmt"
	"strings"
	"time"

	"socketlab/httppool"
	"socketlab/internal/where"
	"socketlab/internal/words"
)

// Program is a running program that serves its goroutine profile.
type Program struct {
	source *source
	// Library reports of a function whether it is of the standard library or of a
	// well-known client package, so that it is not who wanted a connection.
	Library func(function string) bool
	// Stacks asks for all frames of each group.
	Stacks bool
}

// Report asks the program which lines hold its connections now.
func (p *Program) Report(ctx context.Context) (*where.Report, error) {
	defer p.source.close()
	stacks, err := p.source.profile(ctx)
	if err != nil {
		return nil, err
	}
	pools, err := p.source.pools(ctx)
	if err != nil {
		return nil, err
	}
	return p.report(read(stacks, p.Library), pools), nil
}

func (p *Program) report(s seen, pools []httppool.Snapshot) *where.Report {
	r := &where.Report{Source: "the goroutine profile", Groups: s.groups}
	open := 0 // bodies that no goroutine reads, of HTTP/1
	if s.bodies > s.reading {
		open = s.bodies - s.reading
	}
	if pools != nil {
		r.Source += " and package httppool"
	}
	known := p.add(r, pools)
	idle := max(0, s.peeking-s.awaiting)
	r.Connections = s.bodies + s.peeking + s.http2
	for _, g := range s.groups {
		if g.Pool == "" {
			r.Connections += g.Connections
		}
	}
	unknown := func(n int, reason string) {
		if n > 0 {
			r.Unknown = append(r.Unknown, where.Unknown{Connections: n, Reason: reason})
		}
	}
	unknown(open-min(open, known), "a response's body is not finished and no goroutine reads it; a goroutine profile does not say who has it")
	unknown(idle, "idle in a pool of net/http, or about to be")
	unknown(s.http2, "HTTP/2; their requests are counted by themselves")
	if s.dials > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("net/http dials %s.", words.Plural(s.dials, "connection")))
	}
	for _, pool := range pools {
		r.Notes = append(r.Notes, note(pool))
	}
	if pools == nil {
		r.Notes = append(r.Notes, "A goroutine profile has no times, and does not say who left a response's body open, nor which socket is whose. "+
			"Package httppool in the program says it (docs/httppool.md), and diagnose --where does without a change to the program.")
	} else {
		r.Notes = append(r.Notes, "Connections of transports that no Pool watches are known by their goroutines only.")
	}
	if !p.Stacks {
		for i := range r.Groups {
			r.Groups[i].Stack = nil
		}
	}
	r.Sort()
	return r
}

// add adds what pools know and a profile does not: whose bodies are open, and for how long
// requests wait. It returns of how many connections, over HTTP/1, the body's owner is known.
func (p *Program) add(r *where.Report, pools []httppool.Snapshot) (known int) {
	for _, pool := range pools {
		http2 := map[string]bool{}
		for _, c := range pool.Connections {
			http2[c.Local] = c.HTTP2
		}
		for _, q := range pool.Requests {
			g := where.Group{Pool: "net/http", OldestMS: pool.Time.Sub(q.Since).Milliseconds(), Stack: sites(q)}
			g.Site = p.site(g.Stack)
			switch {
			case q.State == httppool.RequestBody && !q.Reading:
				g.State = where.BodyOpen
				if !q.Read.IsZero() {
					g.OldestMS = pool.Time.Sub(q.Read).Milliseconds()
				}
				g.Lasting = lasting(g)
				if time.Duration(g.OldestMS)*time.Millisecond >= where.UnreadFor {
					g.Unread = 1
				}
				if http2[q.Local] {
					g.Requests = 1
				} else {
					g.Connections = 1
				}
				if g.Site.Function == "" {
					g.Site.Function = q.Method + " " + q.URL // of a Pool that keeps no stacks
				}
				known += g.Connections
				r.Groups = add(r.Groups, g)
			case q.State == httppool.RequestWaiting:
				g.State = where.Queued
				for i := range r.Groups { // it is counted by its goroutine
					if of := &r.Groups[i]; of.Site == g.Site && of.State == g.State && of.Pool == g.Pool {
						of.OldestMS, of.Lasting = max(of.OldestMS, g.OldestMS), min(of.Requests, of.Lasting+lasting(g))
					}
				}
			}
		}
	}
	return known
}

// lasting is 1 if the group's one connection or request has lasted.
func lasting(g where.Group) int {
	if time.Duration(g.OldestMS)*time.Millisecond >= where.LastingFor {
		return 1
	}
	return 0
}

func (p *Program) site(stack []where.Site) where.Site {
	for _, f := range stack {
		if !p.Library(f.Function) {
			return f
		}
	}
	if len(stack) > 0 {
		return stack[len(stack)-1]
	}
	return where.Site{}
}

func sites(q httppool.Request) []where.Site {
	var all []where.Site
	for _, f := range q.Stack {
		all = append(all, where.Site{Function: f.Function, File: f.File, Line: f.Line})
	}
	return all
}

// note says what a pool has: "Pool orders: in use 3 · idle 2 · waiting 14, the first for 3s."
func note(pool httppool.Snapshot) string {
	text := strings.TrimSpace("Pool "+words.Printable(pool.Name)) + ": " + pool.String()
	var longest time.Duration
	streams := 0
	for _, h := range pool.Hosts {
		longest = max(longest, h.LongestWait)
	}
	for _, q := range pool.Requests {
		if q.State == httppool.RequestWaitingStream {
			streams++
		}
	}
	if longest > 0 {
		text += ", the first for " + words.Duration(longest)
	}
	if streams > 0 {
		text += fmt.Sprintf(", %d of them for an HTTP/2 stream", streams)
	}
	return text + "."
}

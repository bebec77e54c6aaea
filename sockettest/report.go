package sockettest

import (
	"fmt"
	"strings"
	"time"

	"socketlab/internal/socketstats"
	"socketlab/internal/words"
)

// maxLines is how many sockets a failure names.
const maxLines = 20

// report is the whole text of a failure.
func report(name string, problems []problem) string {
	var b strings.Builder
	leaks, limits, lines, what := 0, false, 0, "socket"
	for _, p := range problems {
		leaks += p.leaks
		if p.inMemory {
			what = "connection"
		}
		limits = limits || p.leaks == 0
	}
	fmt.Fprintf(&b, "sockettest: %s ", name)
	switch {
	case leaks == 0:
		b.WriteString("opened too many connections:")
	case limits:
		fmt.Fprintf(&b, "opened too many connections, and left %s open:", words.Plural(leaks, what))
	default:
		fmt.Fprintf(&b, "left %s open:", words.Plural(leaks, what))
	}
	more := 0
	for _, p := range problems {
		fmt.Fprintf(&b, "\n  %s", p.what)
		for _, line := range p.lines {
			if lines == maxLines {
				more++
				continue
			}
			lines++
			fmt.Fprintf(&b, "\n    %s", line)
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n    and %d more", more)
	}
	return b.String()
}

// lines describes items: "127.0.0.1:41234 -> 127.0.0.1:8080 ESTABLISHED, open for
// at least 1.2s, silent for 1.1s, 13 bytes unread".
func (c *check) lines(items []item) []string {
	lines := make([]string, 0, len(items))
	for _, it := range items {
		lines = append(lines, c.line(it))
	}
	return lines
}

// unread is how many bytes the program has left to read. The kernel counts the
// peer's FIN as one until end of file was read, and then none are left.
func unread(s socketstats.Socket) int {
	if s.State == socketstats.CloseWait {
		return max(0, int(s.RecvQ)-1)
	}
	return int(s.RecvQ)
}

func (c *check) line(it item) string {
	var b strings.Builder
	s := it.Socket
	b.WriteString(s.Local.String())
	switch {
	case s.State == socketstats.Listen:
	case it.server:
		fmt.Fprintf(&b, " <- %s", s.Remote)
	default:
		fmt.Fprintf(&b, " -> %s", s.Remote)
	}
	fmt.Fprintf(&b, " %s", s.State)
	if age := c.age(s); age >= time.Millisecond {
		fmt.Fprintf(&b, ", open for at least %s", words.Duration(age))
	}
	switch {
	case s.State == socketstats.Listen:
		if s.RecvQ > 0 {
			fmt.Fprintf(&b, ", %s not accepted", words.Plural(int(s.RecvQ), "connection"))
		}
		return b.String()
	case s.State == socketstats.SynSent:
		return b.String()
	case s.Info != nil:
		if silent := min(s.Info.Sent, s.Info.Received); silent >= time.Millisecond {
			fmt.Fprintf(&b, ", silent for %s", words.Duration(silent))
		}
	}
	if n := unread(s); n > 0 {
		fmt.Fprintf(&b, ", %s unread", words.Plural(n, "byte"))
	}
	if s.SendQ > 0 {
		fmt.Fprintf(&b, ", %s not yet taken by the peer", words.Plural(int(s.SendQ), "byte"))
	}
	if it.other != nil {
		b.WriteString("; the server's end is in this process too")
		if it.other.State != s.State {
			fmt.Fprintf(&b, ", in %s", it.other.State)
		}
	}
	b.WriteString(c.sentBy(s))
	return b.String()
}

// age is how old the socket is at least: since it was first seen, or since it
// last did what was longest ago.
func (c *check) age(s socketstats.Socket) time.Duration {
	age := time.Duration(0)
	if first := c.firstSeen[keyOf(s)]; !first.IsZero() {
		age = time.Since(first)
	}
	if s.Info != nil {
		age = max(age, s.Info.Sent, s.Info.Received)
	}
	return age
}

// isAre gives a plural verb the form for n.
func isAre(n int, verb string) string {
	if n != 1 {
		return verb
	}
	switch verb {
	case "are":
		return "is"
	case "were":
		return "was"
	case "have":
		return "has"
	case "wait":
		return "waits"
	}
	return verb
}

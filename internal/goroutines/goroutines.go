// Package goroutines finds out which lines of a running Go program hold its connections,
// without privilege: from the goroutine profile that net/http/pprof serves, and from
// what package httppool says where the program has it.
//
// The profile is read as text that groups equal stacks (debug=1), for which the runtime
// stops the program twice for some microseconds. It has no times. That with debug=2 says
// for how many minutes a goroutine waits, and stops the program for as long as it takes
// to write all stacks.
package goroutines

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"socketlab/internal/where"
)

// stack is goroutines that stand at the same place.
type stack struct {
	count int
	// frames are from the innermost call outwards, inlined ones with them.
	frames []where.Site
}

var (
	countLine = regexp.MustCompile(`^(\d+) @`)
	frameLine = regexp.MustCompile(`^#\t+0x[0-9a-f]+\t+(.+)\+0x[0-9a-f]+\t+(.+):(\d+)$`)
)

// parse reads a goroutine profile with debug=1.
func parse(r io.Reader) ([]stack, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "goroutine profile: total ") {
		if err := lines.Err(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%.60q is not how a goroutine profile begins: does net/http/pprof serve this address?", lines.Text())
	}
	var all []stack
	for lines.Scan() {
		if m := countLine.FindStringSubmatch(lines.Text()); m != nil {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, err
			}
			all = append(all, stack{count: n})
		} else if m := frameLine.FindStringSubmatch(lines.Text()); m != nil && len(all) > 0 {
			line, err := strconv.Atoi(m[3])
			if err != nil {
				return nil, err
			}
			last := &all[len(all)-1]
			last.frames = append(last.frames, where.Site{Function: m[1], File: m[2], Line: line})
		}
	}
	return all, lines.Err()
}

// waits are the functions in which a goroutine waits for a connection, or for what one
// brings, outermost meaning first: the first of them that a stack has says what it does.
var waits = []struct {
	function string // how it ends: net/http's HTTP/2 and golang.org/x/net's differ by a prefix
	state    where.State
	pool     string
	// shared says that several requests may have the same connection.
	shared bool
}{
	{"net/http.(*Transport).getConn", where.Queued, "net/http", false},
	{"database/sql.(*DB).conn", where.Queued, "database/sql", false},
	{"puddle/v2.(*Pool[...]).acquire", where.Queued, "puddle", false},
	{"puddle/v2.(*Pool[...]).Acquire", where.Queued, "puddle", false},
	{"internal/pool.(*ConnPool).waitTurn", where.Queued, "go-redis", false},
	{"net/http.(*persistConn).roundTrip", where.Awaiting, "net/http", false},
	{"lientConn).RoundTrip", where.Awaiting, "net/http", true},
	{"lientConn).roundTrip", where.Awaiting, "net/http", true},
	{"net/http.(*bodyEOFSignal).Read", where.Reading, "net/http", false},
	{"ransportResponseBody).Read", where.Reading, "net/http", true},
	{"net.(*Dialer).DialContext", where.Dialling, "", false},
	{"net.(*conn).Read", where.Reading, "", false},
	{"net.(*TCPConn).WriteTo", where.Reading, "", false},
}

// The goroutines of net/http that look after a connection; who asked for it is not on
// their stacks.
const (
	readLoop  = "net/http.(*persistConn).readLoop"
	peek      = "bufio.(*Reader).Peek"
	dialling  = "net/http.(*Transport).dialConnFor"
	accepted  = "net/http.(*conn).serve"
	listening = "net/http.(*connReader).backgroundRead"
)

var http2Loops = []string{"lientConn).readLoop", "lientConnReadLoop).run"}

func (s stack) has(function string) bool {
	return slices.ContainsFunc(s.frames, func(f where.Site) bool { return strings.HasSuffix(f.Function, function) })
}

// seen is what a goroutine profile says.
type seen struct {
	groups []where.Group
	// counts of net/http's connections by what their goroutines do
	bodies, peeking, http2, dials int
	// reading and awaiting are the goroutines of callers that have one of them each
	reading, awaiting int
}

// read sorts the goroutines. library reports of a function whether it is of the standard
// library or of a client package.
func read(stacks []stack, library func(function string) bool) seen {
	var s seen
	for _, st := range stacks {
		switch {
		case len(st.frames) == 0, st.has(listening):
			continue
		case st.has(readLoop):
			switch {
			case st.has(peek):
				s.peeking += st.count
			case st.frames[0].Function == readLoop: // else it is about to end
				s.bodies += st.count
			}
			continue
		case st.has(dialling):
			s.dials += st.count
			continue
		case slices.ContainsFunc(http2Loops, st.has):
			s.http2 += st.count
			continue
		}
		s.wait(st, library)
	}
	return s
}

func (s *seen) wait(st stack, library func(string) bool) {
	for _, w := range waits {
		if !st.has(w.function) {
			continue
		}
		ofLibrary := where.Libraries(st.frames, library)
		i := slices.IndexFunc(st.frames, func(f where.Site) bool { return !ofLibrary(f) })
		if i < 0 {
			return // of the standard library alone: a server's own goroutines
		}
		if w.pool == "" && w.state == where.Reading && st.serves(i) {
			return
		}
		g := where.Group{Site: st.frames[i], State: w.state, Pool: w.pool, Stack: st.frames}
		if w.state == where.Queued || w.shared {
			g.Requests = st.count
		} else {
			g.Connections = st.count
		}
		if w.pool == "net/http" && !w.shared {
			switch w.state {
			case where.Reading:
				s.reading += st.count
			case where.Awaiting:
				s.awaiting += st.count
			default: // the other states are not summed up
			}
		}
		s.groups = add(s.groups, g)
		return
	}
}

// serves reports whether a stack that reads a connection is that of a handler which reads the
// request of its client, and not of one that asks somebody else.
func (s stack) serves(own int) bool {
	return s.has(accepted) && slices.ContainsFunc(s.frames[:own], func(f where.Site) bool {
		return path.Base(f.Function) == "http.(*body).Read" || path.Base(f.Function) == "http.(*connReader).Read"
	})
}

// add adds a group to the one of the same line and state.
func add(groups []where.Group, g where.Group) []where.Group {
	for i := range groups {
		if of := &groups[i]; of.Site == g.Site && of.State == g.State && of.Pool == g.Pool {
			of.Connections, of.Requests, of.Lasting = of.Connections+g.Connections, of.Requests+g.Requests, of.Lasting+g.Lasting
			of.OldestMS, of.Unread = max(of.OldestMS, g.OldestMS), of.Unread+g.Unread
			return groups
		}
	}
	return append(groups, g)
}

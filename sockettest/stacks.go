package sockettest

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// doing is what a goroutine does with the connection that it reads.
type doing int

const (
	reads            doing = iota // none of what follows
	idle                          // net/http's: waits in the pool for the next request
	responds                      // net/http's: waits for a response
	bodyOpen                      // net/http's: waits until the response's body is closed
	readsBody                     // reads such a body
	http2                         // net/http's or x/net/http2's: waits for the next frame
	inMemory                      // idle or http2, on a connection that is no socket
	respondsInMemory              // responds, on a connection that is no socket
)

// reader is a goroutine that reads a connection, or that would but for a body
// that is not closed.
type reader struct {
	goroutine string
	does      doing
	// poll is the address of the runtime's poll descriptor on which it waits, 0
	// if it does not.
	poll uint64
	// moving says that it is net/http's and does not wait: what it does next is not known.
	moving bool
}

// stacks is what goroutines tell of connections.
type stacks struct {
	readers []reader
	// streams are the goroutines of HTTP/2 requests that have not ended: their
	// responses have not come to an end, and were not closed.
	streams []string
}

// The functions by which goroutines are known: net/http's transport.go of Go 1.26 and 1.27,
// and HTTP/2 both as net/http contains it and as golang.org/x/net has it.
const (
	pollWait  = "internal/poll.runtime_pollWait"
	readLoop  = "net/http.(*persistConn).readLoop"
	roundTrip = "net/http.(*persistConn).roundTrip"
	connRead  = "net/http.(*persistConn).Read"
	peek      = "bufio.(*Reader).Peek"
)

var (
	http2Loops   = []string{"net/http.(*http2ClientConn).readLoop", "golang.org/x/net/http2.(*ClientConn).readLoop", "net/http/internal/http2.(*ClientConn).readLoop"}
	http2Streams = []string{"net/http.(*http2clientStream).doRequest", "golang.org/x/net/http2.(*clientStream).doRequest", "net/http/internal/http2.(*clientStream).doRequest"}
)

// maxStacks bounds the memory for the stacks of all goroutines: some 100,000.
const maxStacks = 256 << 20

// readStacks looks at every goroutine of this process at one moment.
func readStacks() stacks {
	b := make([]byte, 256<<10)
	for {
		n := runtime.Stack(b, true)
		if n < len(b) || len(b) >= maxStacks {
			return parseStacks(string(b[:n]))
		}
		b = make([]byte, 4*len(b))
	}
}

func parseStacks(text string) stacks {
	var found stacks
	var loops []trace
	waiting := map[string]bool{} // connections on which a caller waits for a response
	for one := range strings.SplitSeq(text, "\n\n") {
		t := parseTrace(one)
		if args, ok := t.args(roundTrip); ok {
			waiting[args] = true
		}
		_, loop := t.args(readLoop)
		switch {
		case loop:
			loops = append(loops, t)
		case t.in(http2Streams):
			found.streams = append(found.streams, t.goroutine)
		case t.in(http2Loops):
			does := http2
			if t.inMemory() {
				does = inMemory
			}
			found.readers = append(found.readers, t.reader(does))
		case t.poll() != 0:
			does := reads
			if _, ok := t.args(connRead); ok {
				does = readsBody
			}
			found.readers = append(found.readers, t.reader(does))
		}
	}
	for _, t := range loops {
		found.readers = append(found.readers, t.reader(t.loop(waiting)))
	}
	return found
}

// loop is what net/http's reader of a connection does.
func (t trace) loop(waiting map[string]bool) doing {
	conn, _ := t.args(readLoop)
	switch {
	case strings.HasPrefix(t.state, "select") && strings.HasPrefix(t.frames[0], readLoop+"("):
		return bodyOpen
	case t.inMemory() && waiting[conn]:
		return respondsInMemory
	case t.inMemory():
		return inMemory
	case t.calls(readLoop, peek) && t.poll() != 0 && !waiting[conn]:
		return idle
	default:
		return responds
	}
}

// inMemory reports whether the goroutine reads what is no socket, and waits there: as
// net.Pipe and httptest.NewTestServer have it, for a channel or a condition.
func (t trace) inMemory() bool {
	for _, state := range []string{"select", "chan receive", "sync.Cond.Wait"} {
		if strings.HasPrefix(t.state, state) {
			return true
		}
	}
	return false
}

// trace is one goroutine's stack, the innermost call first.
type trace struct {
	goroutine, state string
	frames           []string // "function(arguments)"
}

func parseTrace(text string) trace {
	head, rest, _ := strings.Cut(strings.TrimPrefix(text, "\n"), "\n")
	id, state, _ := strings.Cut(strings.TrimPrefix(head, "goroutine "), " [")
	t := trace{goroutine: id, state: state}
	for line := range strings.SplitSeq(rest, "\n") {
		if line != "" && line[0] != '\t' && !strings.HasPrefix(line, "created by ") {
			t.frames = append(t.frames, line)
		}
	}
	return t
}

// args returns the first argument of a function in the stack: the receiver of a
// method. It is in hexadecimal.
func (t trace) args(function string) (first string, ok bool) {
	for _, f := range t.frames {
		if args, ok := strings.CutPrefix(f, function+"("); ok {
			first, _, _ = strings.Cut(strings.TrimSuffix(args, ")"), ",")
			return strings.TrimSuffix(first, "?"), true
		}
	}
	return "", false
}

func (t trace) in(functions []string) bool {
	for _, f := range functions {
		if _, ok := t.args(f); ok {
			return true
		}
	}
	return false
}

// calls reports whether one function is called by the other, and not by one
// between them.
func (t trace) calls(caller, callee string) bool {
	for i, f := range t.frames {
		if i > 0 && strings.HasPrefix(f, caller+"(") {
			return strings.HasPrefix(t.frames[i-1], callee+"(")
		}
	}
	return false
}

// poll is the address on which the goroutine waits for a descriptor.
func (t trace) poll() uint64 {
	if !strings.HasPrefix(t.state, "IO wait") {
		return 0
	}
	at, _ := t.args(pollWait)
	n, err := strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 64)
	if err != nil {
		return 0
	}
	return n
}

func (t trace) reader(does doing) reader {
	_, loop := t.args(readLoop)
	return reader{goroutine: t.goroutine, does: does, poll: t.poll(), moving: loop && t.moving()}
}

// moving reports whether the goroutine does not wait. The others are the reasons of runtime's
// waitReasonStrings (runtime2.go).
func (t trace) moving() bool {
	state, _, _ := strings.Cut(t.state, "]")
	state, _, _ = strings.Cut(state, ",")
	return slices.Contains([]string{"runnable", "running", "syscall", "copystack", "preempted"}, state)
}

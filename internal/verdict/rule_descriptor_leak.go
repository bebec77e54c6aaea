package verdict

import (
	"cmp"
	"maps"
	"slices"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const DescriptorLeak Kind = "descriptor-leak"

var _ = register(Rule{
	Kind: DescriptorLeak, Severity: Leak,
	Rank:       rankGrowth + 1, // what connections leak is said first: they may have descriptors of other kinds beside
	Title:      "descriptors of a kind grow that are no connections",
	Means:      "The process opens UDP or unix sockets, listeners, pipes or files, or keeps TCP sockets whose connection is gone, and does not close them. No list of TCP connections shows them; at the limit nothing can be opened any more: EMFILE.",
	Recognised: "The descriptors of one kind in /proc/PID/fd grow all the time, by five or more, or those of the same TCP connections do (dup); but for TCP sockets without a connection its confidence is low until they have grown for two minutes, as a program that starts, and one whose garbage collector closes, look like it. Or five or more TCP sockets without a connection (reset, refused, shut down both ways, or in CLOSE_WAIT until the kernel removed it) are kept throughout: a note, if none of them is new.",
	Limits:     "Needs /proc, so Linux. A socket that a program has bound and neither listens on nor connects has no connection either.",
	Fix:        "Close what was opened in every path, also after an error; a socket that was reset, refused or shut down needs close as well.",
	Sentences: map[string]string{
		"grows": "{descriptors} {kind} are open, {more} more than at first, growing by {growth_per_second}.",
		"kept":  "{descriptors} {kind} are kept, for {for_ms} or longer.",
		"wait":  "A program that starts opens its own one after the other, and a garbage collector closes late: whether they are given back shows in {left_ms}.",
		"all":   "The process has {descriptors|descriptor} open[ of {limit}].",
	},
	recognise: descriptorLeak{},
})

// duplicates are the descriptors of connections that have another one in the same processes.
const duplicates = "tcp_duplicates"

// descriptorNames are the kinds of descriptors in words.
var descriptorNames = map[string]string{
	duplicates: "duplicates of TCP connections' descriptors", "tcp_listen": "listening TCP sockets", "tcp_closed": "TCP sockets without a connection", "udp": "UDP sockets", "unix": "unix sockets",
	"unix_listen": "listening unix sockets", "raw": "raw sockets", "packet": "packet sockets", "netlink": "netlink sockets",
	"socket_other": "sockets of another family", "pipe": "ends of pipes", "file": "files", "eventfd": "eventfd descriptors",
	"epoll": "epoll descriptors", "timerfd": "timerfd descriptors", "inotify": "inotify descriptors", "memfd": "memfd descriptors",
	"signalfd": "signalfd descriptors", "pidfd": "pidfd descriptors", "other": "other descriptors",
}

// socketKinds are those that a child does not have by being started.
var socketKinds = map[string]bool{"tcp_listen": true, "tcp_closed": true, "udp": true, "raw": true, "packet": true}

// processes is how many processes the subject has.
func processes(s *series.Sample) int {
	if s.Process == nil {
		return 0
	}
	return max(1, s.Process.Processes)
}

type descriptorLeak struct{}

func (descriptorLeak) find(f *facts) *finding {
	last := f.last().Process
	if last == nil || len(f.Samples) < 2*series.Least {
		return nil
	}
	if f.trend(0, clientOpen).Grows || f.trend(0, serverOpen).Grows {
		return nil // connections may have descriptors of other kinds beside; they are named first
	}
	var worst *finding
	if kinds := f.growingKinds(); len(kinds) > 0 {
		k := kinds[0]
		worst = &finding{confidence: likely(k.More), descriptor: k.Kind, facts: []Fact{fact("grows", count("descriptors", k.Now), text("kind", k.Name), count("more", k.More), growing(k.PerSecond))}}
		if left := f.untilLasting(); left > 0 && k.Kind != "tcp_closed" {
			worst.confidence, worst.left = Low, left
			worst.facts = append(worst.facts, fact("wait", millis("left_ms", left)))
		}
	}
	// The kernel removes a connection in CLOSE_WAIT in the end, and the descriptor stays.
	kept := func(s *series.Sample) int {
		n := ofKind(s, "tcp_closed") + clientIn(socketstats.CloseWait)(s)
		if !f.subject.Paired { // else that is another process
			n += serverIn(socketstats.CloseWait)(s)
		}
		return n
	}
	if n := min(f.least(2, kept), ofKind(f.last(), "tcp_closed")); worst == nil && n >= several {
		worst = &finding{confidence: Medium, descriptor: "tcp_closed", facts: []Fact{fact("kept", count("descriptors", n), text("kind", descriptorNames["tcp_closed"]), lasting(f.span()/2))}}
		if n-ofKind(&f.Samples[0], "tcp_closed") < several && kept(&f.Samples[0]) == ofKind(&f.Samples[0], "tcp_closed") {
			worst.severity, worst.confidence = Note, Low // nothing says that they had a connection
		}
	}
	if worst != nil && last.Descriptors > 0 {
		worst.facts = append(worst.facts, fact("all", count("descriptors", last.Descriptors), some("limit", f.subject.Limits.Descriptors)))
	}
	return worst
}

// GrowingKind is a kind of descriptors that grow all the time.
type GrowingKind struct {
	// Kind is as internal/socketstats names it, and Name in words.
	Kind, Name string
	// Now is how many are open, and More how many more than at first.
	Now, More int
	PerSecond float64
}

// GrowingKinds are the kinds of a subject's descriptors that grow all the time, other
// than connections; the fastest first. There is none without [series.Process.Kinds].
func GrowingKinds(s *series.Subject) []GrowingKind {
	f := gather(s, Conditions{})
	if len(f.Samples) < 2*series.Least || f.last().Process == nil {
		return nil
	}
	return f.growingKinds()
}

func (f *facts) growingKinds() []GrowingKind {
	var kinds []GrowingKind
	spawns := f.allAlong(processes).Grows
	for _, kind := range append(slices.Sorted(maps.Keys(f.last().Process.Kinds)), duplicates) {
		name := descriptorNames[kind]
		if name == "" || (spawns && !socketKinds[kind]) {
			continue // each child has files and pipes of its own
		}
		of := func(s *series.Sample) int { return ofKind(s, kind) }
		if kind == duplicates {
			if f.subject.Paired || f.subject.Serves {
				continue // not all of the process's connections are the subject's
			}
			of = duplicated
		}
		t := f.allAlong(of)
		if more := of(f.last()) - of(&f.Samples[0]); t.Grows && more >= several {
			kinds = append(kinds, GrowingKind{kind, name, of(f.last()), more, t.PerSecond})
		}
	}
	slices.SortStableFunc(kinds, func(a, b GrowingKind) int { return cmp.Compare(b.PerSecond, a.PerSecond) })
	return kinds
}

// duplicated is how many descriptors of TCP connections there are beside one for each.
func duplicated(s *series.Sample) int {
	return max(0, ofKind(s, socketstats.KindTCP)+ofKind(s, socketstats.KindMPTCP)-clientOpen(s)-serverOpen(s))
}

// ofKind is how many descriptors of a kind are open; 0 where that is not known.
func ofKind(s *series.Sample, kind string) int {
	if s.Process == nil {
		return 0
	}
	return s.Process.Kinds[kind]
}

package verdict

import "socketlab/internal/series"

const AcceptStalled Kind = "accept-stalled"

var _ = register(Rule{
	Kind: AcceptStalled, Severity: Fault,
	Rank:       rankSign + 7, // after accept-queue-overflow, to which it leads
	Title:      "connections wait in the accept queue, and the program does not accept them",
	Means:      "The kernel has completed their handshakes. The clients believe that they are connected, send, and wait; those that give up stay in the queue as dead ones.",
	Recognised: "Three or more connections wait in a listener's queue throughout the last third of the time, the queue does not become shorter, and the accepted connections are the same all the time. Or three or more of them were closed by their clients already.",
	Limits:     "With gopsutil, on macOS and on Windows the queue is not seen.",
	Fix:        "Accept in a loop that does nothing else, and hand each connection to another task; find what blocks the one that accepts.",
	Sentences: map[string]string{
		"queue": "{waiting|connection waits|connections wait} to be accepted, for {for_ms} or longer[; {dead} of them were closed by their clients].",
	},
	recognise: acceptStalled{},
})

type acceptStalled struct{}

func (acceptStalled) find(f *facts) *finding {
	waiting := func(s *series.Sample) int {
		if s.Queue == nil {
			return 0
		}
		return s.Queue.Waiting
	}
	if len(f.Samples) < series.Least || waiting(f.last()) == 0 {
		return nil
	}
	n, dead := f.least(3, waiting), f.last().Queue.Dead
	if (n < few || f.accepts()) && dead < few {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("queue", count("waiting", waiting(f.last())), lasting(f.span()/3), some("dead", dead))}}
}

// accepts reports whether the queue became shorter in the last third of the time, or
// an accepted connection came or went.
func (f *facts) accepts() bool {
	third := f.Samples[len(f.Samples)-max(2, len(f.Samples)/3):]
	for i := 1; i < len(third); i++ {
		before, now := &third[i-1], &third[i]
		if before.Queue == nil || now.Queue.Waiting < before.Queue.Waiting || serverOpen(now) != serverOpen(before) {
			return true
		}
		if b, n := f.serverConns(before), f.serverConns(now); b != nil && n != nil && n.Closed > b.Closed {
			return true
		}
	}
	return false
}

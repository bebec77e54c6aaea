package verdict

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const ConnectStalled Kind = "connect-stalled"

var _ = register(Rule{
	Kind: ConnectStalled, Severity: Fault, Rank: rankSign + 1, Scenario: "timeout-connect",
	Title:      "connects get no answer: SYN_SENT",
	Means:      "The destination is down, a firewall drops its packets, or its accept queue is full. Each attempt lasts until the dialer's timeout, by default more than two minutes.",
	Recognised: "Sockets in SYN_SENT that sent their SYN more than once, throughout the last third of the time and at least one second. Or three attempts or more got no answer and were given up, more than twice as many as connections were opened, and none was opened since the last: a dialer that times out, and backs off.",
	Limits:     "Without activity from tcp_info: three or more sockets in SYN_SENT in each of these samples.",
	Fix:        "Give the dialer a timeout of a few seconds, retry with back-off and a limit, and find out why the destination does not answer.",
	Sentences: map[string]string{
		"syn_sent": "{sockets|socket has|sockets have} been in SYN_SENT for {for_ms} or longer: the destination does not answer.",
		"attempts": "{times|attempt|attempts} to connect in {for_ms} got no answer until the dialer gave up. {opened|connection was|connections were} opened meanwhile.",
	},
	recognise: connectStalled{},
})

type connectStalled struct{}

func (connectStalled) find(f *facts) *finding {
	asking, enough := clientIn(socketstats.SynSent), few
	if f.active() {
		// To a far destination some are always under way: only those that asked
		// again count.
		asking, enough = func(s *series.Sample) int { return s.Client.Activity.Resent }, 1
	}
	n := f.least(3, asking)
	if n < enough || f.life(f.span()/3) < time.Second {
		return f.givenUp()
	}
	return &finding{confidence: High, facts: []Fact{fact("syn_sent", count("sockets", n), lasting(f.span()/3))}}
}

// givenUp finds attempts to connect that got no answer and were given up, with rests
// between them: a dialer with a timeout, which backs off.
func (f *facts) givenUp() *finding {
	times, given, longest, last := 0, 0, time.Duration(0), -1
	for i := range f.Samples {
		n := 0 // the first sample's are not counted: they were before
		if i > 0 {
			n = f.givenUpUntil(i) - f.givenUpUntil(i-1)
		}
		again := resent(&f.Samples[i]) > 0
		if !again && n <= 0 {
			continue
		}
		given += max(0, n)
		if again && (i == 0 || resent(&f.Samples[i-1]) == 0) {
			times++
		}
		if last >= 0 {
			longest = max(longest, f.At[i]-f.At[last])
		}
		last = i
	}
	times = max(times, given)
	// A rest is twice as long as the one before, or somewhat longer.
	if times < few || f.At[len(f.At)-1]-f.At[last] > 3*longest {
		return nil
	}
	opened := 0
	if c := f.since(f.clientConns); c != nil {
		opened = c.Opened
		// There is an answer now. One in the sample of the last attempt was before it or after:
		// that no other attempt was in the longest rest since says that it was after.
		from := last
		if f.At[len(f.At)-1]-f.At[last] > longest {
			from = max(0, last-1)
		}
		if before := f.clientConns(&f.Samples[from]); before != nil && f.clientConns(f.last()).Opened > before.Opened {
			return nil
		}
	}
	if times <= 2*opened {
		return nil
	}
	return &finding{confidence: likely(times + several), facts: []Fact{fact("attempts", count("times", times), lasting(f.span()), count("opened", opened))}}
}

// givenUpUntil is how many attempts to connect of the client's end had got no answer and were
// given up until a sample: those with a timeout below a second send their SYN only once.
func (f *facts) givenUpUntil(i int) int {
	if c := f.clientConns(&f.Samples[i]); c != nil {
		return c.GivenUp
	}
	return 0
}

// resent is how many sockets have sent their SYN more than once and have no answer.
func resent(s *series.Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return min(s.Client.Activity.Resent, s.Client.Counts.Of(socketstats.SynSent))
}

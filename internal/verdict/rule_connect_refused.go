package verdict

import (
	"time"
)

const ConnectRefused Kind = "connect-refused"

var _ = register(Rule{
	Kind: ConnectRefused, Severity: Fault, Scenario: "connection-refused",
	Rank:       rankGrowth + 2, // after descriptor-leak: the sockets of such attempts may be kept
	Title:      "connects are refused: ECONNREFUSED",
	Means:      "Nothing listens at the destination, or a firewall rejects: the server is down or restarting, or it is the wrong address or port. An attempt that is refused leaves no socket, so that lists of sockets do not show it.",
	Recognised: "Three attempts or more were refused, two of them in the second half of the time, in which more than twice as many were refused as connections were opened. Until this was so for ten seconds it is not sure: a server may be starting. Once connections are opened again, and none is refused for twice as long as between two before, it is over: the server was restarted.",
	Limits:     "Needs the tracepoint, so privilege on Linux. Refused attempts beside about as many connections are not reported, as where a name has two addresses of which one refuses: localhost, with a server on IPv4 alone.",
	Fix:        "Start the server, or correct its address and port. Retry with back-off and jitter, and with a limit.",
	Sentences: map[string]string{
		"refused": "{attempts|attempt to connect was|attempts to connect were} refused in {for_ms}, the last at {address}: nothing listens there, or a firewall rejects. {opened|connection was|connections were} opened meanwhile.",
	},
	recognise: connectRefused{},
})

type connectRefused struct{}

func (connectRefused) find(f *facts) *finding {
	all := f.since(f.clientConns)
	if f.counted() || all == nil || all.Refused < few {
		return nil
	}
	late := all
	if half := f.clientConns(&f.Samples[len(f.Samples)/2]); half != nil {
		since := f.clientConns(f.last()).Since(*half)
		late = &since
	}
	lasts := f.refusedFor()
	if late.Refused < 2 || late.Refused <= 2*late.Opened || lasts == 0 {
		return nil
	}
	starts := 10 * time.Second
	if ofKind(f.last(), "tcp_closed") >= few { // whether the program keeps them is a fault that matters more
		starts = 30 * time.Second
	}
	found := &finding{
		confidence: likely(all.Refused),
		facts:      []Fact{fact("refused", count("attempts", all.Refused), lasting(f.span()), text("address", all.RefusedAt), count("opened", all.Opened))},
	}
	if left := starts - f.life(lasts); left > 0 && !f.Over {
		found.confidence, found.left = Low, left
	}
	return found
}

// refusedFor is for how long attempts have been refused since the server was last there; 0 if
// it is there now: connections were opened, and no attempt was refused for twice as long as
// between two that were.
func (f *facts) refusedFor() time.Duration {
	began, last, between := -1, 0, f.Interval
	back := func(i int) bool { // at sample i, since the last attempt that was refused
		before, now := f.clientConns(&f.Samples[last-1]), f.clientConns(&f.Samples[i])
		return before != nil && now != nil && now.Opened > before.Opened && f.At[i]-f.At[last] >= 2*between
	}
	for i := 1; i < len(f.Samples); i++ {
		before, now := f.clientConns(&f.Samples[i-1]), f.clientConns(&f.Samples[i])
		switch {
		case before == nil || now == nil || now.Refused == before.Refused:
			continue
		case began < 0 || back(i-1):
			began, between = i, f.Interval
		default:
			between = max(between, f.At[i]-f.At[last])
		}
		last = i
	}
	if began < 0 || back(len(f.Samples)-1) {
		return 0
	}
	return f.At[len(f.At)-1] - f.At[began-1]
}

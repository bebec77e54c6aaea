package verdict

import (
	"slices"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const HalfClosedConnections Kind = "half-closed-connections"

var _ = register(Rule{
	Kind: HalfClosedConnections, Severity: Leak,
	Rank:       rankSign + 4,
	Title:      "this end has sent its FIN and keeps the socket: FIN_WAIT2 with a descriptor",
	Means:      "The program has shut down its sending half and waits for the other end to close, which it does not. With a descriptor the kernel has no timeout for that: each such socket stays until the process closes it or ends.",
	Recognised: "Sockets in FIN_WAIT2 that a process still holds grow, and still do in the last quarter or are more than the connections closed in the last half. Or five or more are there throughout that half, more than were closed in it. A proxy whose clients wait in CLOSE_WAIT beside them has only passed their FIN on, and is not blamed.",
	Limits:     "Some that stay, and do not become more, beside many connections that are closed are not told from others each time. A socket in FIN_WAIT2 without a descriptor belongs to the kernel, which removes it after a minute.",
	Fix:        "After shutting down the sending half, read to the end of file under a deadline, and then close the socket; or close it at once if the rest does not matter.",
	Sentences: map[string]string{
		"fin_wait2": "{connections|connection is|connections are} half closed by this program and still held: FIN_WAIT2[, growing by {growth_per_second}][, for {for_ms} or longer].",
	},
	recognise: halfClosedConnections{},
})

// proxies are the runtimes that pass on what their clients do.
var proxies = []string{"haproxy", "nginx", "envoy"}

type halfClosedConnections struct{}

func finWait2Held(s *series.Sample) int { return s.FinWait2Held }

func (halfClosedConnections) find(f *facts) *finding {
	if len(f.Samples) < series.Least || f.passedOn() > 0 || (f.subject.Paired && slices.Contains(proxies, f.subject.Runtime)) {
		return nil // of a proxy only the half towards the port is seen
	}
	held := finWait2Held(f.last())
	if perSecond, grows := f.grows(finWait2Held); grows && held >= few && (f.closedInHalf() < held || f.stillRises(finWait2Held, perSecond)) {
		return &finding{confidence: High, facts: []Fact{fact("fin_wait2", count("connections", held), growing(perSecond))}}
	}
	n := f.least(2, finWait2Held) - f.closedInHalf()
	if n < several {
		return nil
	}
	return &finding{confidence: Medium, facts: []Fact{fact("fin_wait2", count("connections", n), lasting(f.span()/2))}}
}

// stillRises reports whether a figure has risen in the last quarter of the samples at half
// the rate at least at which it grew in all.
func (f *facts) stillRises(of figure, perSecond float64) bool {
	from := &f.Samples[len(f.Samples)*3/4]
	rise := of(f.last()) - of(from)
	return rise >= few && float64(rise) >= perSecond/2*(f.last().At-from.At).Seconds()
}

// closedInHalf is how many connections were closed in the last half of the samples: each
// may have been one of those that a state has, with another in its place. 0 where it is
// not known.
func (f *facts) closedInHalf() int {
	from, to := f.conns(&f.Samples[len(f.Samples)/2]), f.conns(f.last())
	if from == nil || to == nil {
		return 0
	}
	return to.Closed - from.Closed
}

// passedOn is how many accepted connections wait in CLOSE_WAIT while about as many
// connections of the subject's own are half closed: a proxy has passed the FIN of its
// clients on. 0 where that is not so.
func (f *facts) passedOn() int {
	if f.subject.Paired {
		return 0
	}
	waiting, half := serverIn(socketstats.CloseWait)(f.last()), finWait2Held(f.last())
	if half < few || 4*abs(waiting-half) > waiting {
		return 0
	}
	return waiting
}

func abs(n int) int { return max(n, -n) }

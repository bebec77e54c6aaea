package verdict

import "socketlab/internal/series"

const Growing Kind = "growing"

var _ = register(Rule{
	Kind:       Growing,
	Rank:       rankNone + 1, // after not-enough-data: what waits for a response says so
	Title:      "connections grow, and it is too early to say whether they are given back",
	Means:      "More connections are open from sample to sample. Clients that join, a pool that fills and a leak look the same until the idle timeout of a server, or of a client, has had the time to act.",
	Recognised: "Open connections at one end grow for less than two minutes, and what they carry does not say why. Or those of a server grow whose clients are subjects of their own.",
	Sentences: map[string]string{
		"client":    "{open|connection is|connections are} open, {more} more than at first, growing by {growth_per_second}.",
		"server":    "{open|accepted connection is|accepted connections are} open, {more} more than at first, growing by {growth_per_second}.",
		"clients":   "Their clients are on this machine, and are subjects of their own.",
		"unsettled": "The process ended before it showed whether they are given back.",
		"wait":      "Idle timeouts are up to 90s long: whether they are given back shows in {left_ms}.",
	},
	recognise: growingConns{},
})

type growingConns struct{}

func (growingConns) find(f *facts) *finding {
	if f.counted() || f.Over && !f.Ended || f.passedOn() > 0 || len(f.Samples) < series.Least || f.quiet() {
		return nil
	}
	name, open, suspects := "client", clientOpen, []Kind{ConnectionGrowth, IdleConnectionsNotReused}
	t := f.trend(0, open)
	if !t.Grows && (f.ownServer() || f.subject.Serves) {
		name, open, suspects = "server", serverOpen, []Kind{ServerIdleClients, ConnectionGrowth}
		t = f.trend(0, open)
	}
	if !t.Grows {
		return nil
	}
	left := max(f.Interval, f.untilLasting())
	clients := f.subject.Serves && !f.Ended && left == f.Interval && !f.ownServer() // whose doing it is, for good
	if clients {
		left = 0
	}
	now := open(f.last())
	found := &finding{
		facts: []Fact{
			fact(name, count("open", now), count("more", now-open(&f.Samples[0])), growing(t.PerSecond)),
		},
		suspects: suspects, left: left,
	}
	switch {
	case f.Ended:
		found.suspects, found.left = nil, 0
		found.facts = append(found.facts, fact("unsettled"))
	case clients:
		found.facts = append(found.facts, fact("clients"))
	case f.lives == nil:
		found.facts = append(found.facts, fact("wait", millis("left_ms", left)))
	}
	return found
}

package verdict

import "socketlab/internal/series"

const PoolExhaustion Kind = "pool-exhaustion"

var _ = register(Rule{
	Kind: PoolExhaustion, Severity: Fault, Scenario: "conn-cap-plus-leak",
	Rank:       rankRequests, // before request-stalled: what waits for a connection waits for its response, too
	Title:      "requests wait for a connection of a pool that has none to give",
	Means:      "The pool's limit is reached and every connection is taken, by slow requests or by ones that never give it back. A request that waits has no socket: the server is idle while its clients time out.",
	Recognised: "For half of the time at least three more requests are in flight than there are connections, and the connections do not grow.",
	Limits:     "Sockets alone do not show it.",
	Needs:      []Need{needMetrics},
	Fix:        "Give connections back in every path, size the pool to requests per second times latency and some more, and give the wait for a connection a deadline of its own.",
	Sentences: map[string]string{
		"pool":   "{in_flight|request is|requests are} in flight and only {connections|connection is|connections are} open: the rest wait for a connection.",
		"silent": "Each of these connections has been silent since its response, for {for_ms} or longer: it is held, not busy.",
	},
	recognise: poolExhaustion{},
})

type poolExhaustion struct{}

func (poolExhaustion) find(f *facts) *finding {
	pool := clientOpen
	if f.subject.Relayed { // the pool is the server's
		pool = f.upstreams
	}
	if _, grows := f.grows(pool); grows {
		return nil
	}
	queued := f.least(2, func(s *series.Sample) int {
		if pool(s) == 0 {
			return 0
		}
		return inFlight(s) - pool(s)
	})
	if queued < few {
		return nil
	}
	facts := []Fact{fact("pool", count("in_flight", inFlight(f.last())), count("connections", pool(f.last())))}
	if a := f.last().Client.Activity; a != nil && a.Received.AtLeast(f.silent) == clientOpen(f.last()) {
		facts = append(facts, fact("silent", lasting(f.silent)))
	}
	return &finding{confidence: High, facts: facts}
}

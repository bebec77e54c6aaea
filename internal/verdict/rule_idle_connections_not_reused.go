package verdict

import "socketlab/internal/series"

const IdleConnectionsNotReused Kind = "idle-connections-not-reused"

// bodyTest tells a forgotten connection from a forgotten body.
const bodyTest = "what happens when the server closes idle connections: forgotten ones close, those with an open body stay in CLOSE_WAIT"

var _ = register(Rule{
	Kind: IdleConnectionsNotReused, Severity: Leak, Rank: rankReuse, Scenario: "transport-per-request",
	Title:      "connections stay open and idle, and no request uses them again",
	Means:      "Each request opens a connection, gets its response, and leaves the connection idle in a pool that nobody uses again. Descriptors and memory grow at both ends until a limit, or until the server closes idle connections.",
	Recognised: "With client-side counters: connections are opened while others are idle and stay idle, and hardly a request reuses one. Without: idle connections at the client's end grow.",
	Limits:     "Until the server closes its end, a response body that was not closed looks the same. A pool that a growing load fills, and that is idle then, looks like it until its connections are closed.",
	Needs:      []Need{needMetricsOrActivity},
	Fix:        "Make one client with one pool (in Go one http.Client with one Transport) and share it; limit its idle connections and give them a timeout.",
	Sentences: map[string]string{
		"needless": "{idle|connection is|connections are} open and idle; {needless|connection was|connections were} opened while another was idle.",
		"idle":     "{idle|connection has|connections have} had a response and nothing since for {for_ms} or longer, growing by {growth_per_second}; none is closed.",
	},
	recognise: idleConnectionsNotReused{},
})

type idleConnectionsNotReused struct{}

func (idleConnectionsNotReused) find(f *facts) *finding {
	if !f.counted() {
		return f.idleGrows()
	}
	if len(f.Samples) < series.Least && !f.Over {
		return nil
	}
	needless := f.needless()
	if f.least(6, f.idle) < few || needless < few || 4*f.reused() > int64(needless) {
		return nil
	}
	return &finding{
		confidence:   likely(needless),
		facts:        []Fact{f.requests(), fact("needless", count("idle", f.idle(f.last())), count("needless", needless))},
		alternatives: []Alternative{{ResponseBodyLeak, bodyTest}},
	}
}

// needless counts connections that were opened while as many were idle, and stay so
// to the end. The client's counters are read a moment after the sockets, so a few
// that are just being closed look idle: they do not stay.
func (f *facts) needless() int {
	needless, stay := 0, f.idle(f.last())
	for i := len(f.Samples) - 1; i > 0; i-- {
		now, before := f.conns(&f.Samples[i]), f.conns(&f.Samples[i-1])
		stay = min(stay, f.idle(&f.Samples[i-1]))
		if now != nil && before != nil {
			needless += min(now.Opened-before.Opened, stay)
		}
	}
	return needless
}

// idleGrows finds idle connections that grow in a client without counters, all the
// time or in its second half.
func (f *facts) idleGrows() *finding {
	t := f.idleTrend(0)
	if half := len(f.Busy) / 2; !t.Grows && half >= 2*series.Least {
		t = f.idleTrend(half)
	}
	if !t.Grows {
		return nil
	}
	return &finding{
		confidence:   f.sureOf(t),
		facts:        []Fact{fact("idle", count("idle", f.idle(f.last())), lasting(f.silent), growing(t.PerSecond))},
		alternatives: []Alternative{{ResponseBodyLeak, bodyTest}},
	}
}

// idleTrend is the trend of idle connections. When a load falls its connections
// become idle, too: then as many fewer are in use, and it does not grow.
func (f *facts) idleTrend(from int) series.Trend {
	t := f.trend(from, f.idle)
	if !t.Grows {
		return t
	}
	fewer := f.trend(from, func(s *series.Sample) int {
		return f.idle(s) + unanswered(s, f.silent) - established(s)
	})
	if fewer.Chance < series.Unlikely && 2*fewer.PerSecond > t.PerSecond {
		t.Grows = false
	}
	return t
}

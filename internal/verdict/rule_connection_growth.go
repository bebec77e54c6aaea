package verdict

const ConnectionGrowth Kind = "connection-growth"

var _ = register(Rule{
	Kind: ConnectionGrowth, Severity: Leak, Rank: rankGrowth,
	Title:      "open connections grow",
	Means:      "More and more connections are open and none is closed.",
	Recognised: "Open connections grow steadily, and nothing says what they do.",
	Limits:     "For sources that have counts only: gopsutil, macOS, Windows.",
	Fix:        "Find out what the connections do (on Linux count with sock_diag), then see idle-connections-not-reused and response-body-leak.",
	Sentences: map[string]string{
		"open":     "{open|connection is|connections are} open, {more} more than at first, growing by {growth_per_second}; none is closed.",
		"accepted": "{open|accepted connection is|accepted connections are} open, {more} more than at first, growing by {growth_per_second}; none is closed.",
	},
	recognise: connectionGrowth{},
})

type connectionGrowth struct{}

func (connectionGrowth) find(f *facts) *finding {
	if f.counted() || f.active() {
		return nil
	}
	name, open := "open", clientOpen
	t := f.trend(0, open)
	if !t.Grows {
		name, open = "accepted", serverOpen
		t = f.trend(0, open)
	}
	if !t.Grows {
		return nil
	}
	now := open(f.last())
	return &finding{
		confidence:   f.sureOf(t),
		facts:        []Fact{fact(name, count("open", now), count("more", now-open(&f.Samples[0])), growing(t.PerSecond))},
		alternatives: []Alternative{{IdleConnectionsNotReused, "whether the connections are idle"}, {ResponseBodyLeak, bodyTest}},
	}
}

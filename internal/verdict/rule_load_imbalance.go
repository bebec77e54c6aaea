package verdict

const LoadImbalance Kind = "load-imbalance"

var _ = register(Rule{
	Kind: LoadImbalance, Severity: Fault, Rank: rankCounters + 2, Scenario: "http2-pinned-behind-balancer",
	Title:      "one server gets all requests, and another that is due gets none",
	Means:      "A connection stays with the server that a balancer or a name chose when it was opened. Requests that all go over old connections never reach the others.",
	Recognised: "Of several servers, one that is due (a balancer spreads over it, or the name points at it) got nothing in the second half of the time, while all together got at least twenty requests.",
	Limits:     "Seen only in a run with several servers.",
	Needs:      []Need{needMetrics, needServers},
	Fix:        "Close connections from time to time, so that the server is chosen again (the server after some minutes, or the client by CloseIdleConnections), or balance requests instead of connections.",
	Sentences: map[string]string{
		"servers": "Of the last {requests|request}, {most} went to {busiest} and none to {without}.",
	},
	recognise: loadImbalance{},
})

type loadImbalance struct{}

func (loadImbalance) find(f *facts) *finding {
	const plenty = 20
	half, last := f.Samples[len(f.Samples)/2].Servers, f.last().Servers
	if len(half) != len(last) {
		return nil
	}
	var all, most int64
	var busiest, without string
	for i, s := range last {
		n := s.Requests - half[i].Requests
		all += n
		if n > most {
			busiest, most = s.Name, n
		}
		if s.Due && half[i].Due && n == 0 {
			without = s.Name
		}
	}
	if all < plenty || without == "" {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{f.requests(), fact("servers",
		count("requests", all), count("most", most), text("busiest", busiest), text("without", without))}}
}

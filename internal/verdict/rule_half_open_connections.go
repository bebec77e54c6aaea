package verdict

import "socketlab/internal/series"

const HalfOpenConnections Kind = "half-open-connections"

var _ = register(Rule{
	Kind: HalfOpenConnections, Severity: Fault, Scenario: "half-open-peers",
	Rank:       rankServer, // before server-idle-clients: a dead client is silent, too
	Title:      "the server holds connections whose other end does not answer",
	Means:      "What was sent is sent again and again and is not acknowledged: the client has vanished, or the network between. The kernel gives up after some 15 minutes.",
	Recognised: "At least three connections at the server's end have data that was sent again and is not acknowledged, throughout the last third of the time, and ever more (a leak), or none was closed meanwhile (a fault).",
	Limits:     "Where the server sends nothing they look like silent clients: server-idle-clients.",
	Needs:      []Need{needActivity},
	Fix:        "Set a write deadline, or TCP_USER_TIMEOUT; keep-alive probes do not help while data is unacknowledged.",
	Sentences: map[string]string{
		"unacknowledged": "{connections|connection has|connections have} sent data again and got no acknowledgement, for {for_ms} or longer.",
	},
	recognise: halfOpenConnections{},
})

type halfOpenConnections struct{}

func (halfOpenConnections) find(f *facts) *finding {
	if !f.ownServer() && !f.subject.Serves {
		return nil
	}
	dead := func(s *series.Sample) int { return s.Server.Activity.Dead }
	n := f.least(3, dead)
	if n < few {
		return nil
	}
	found := &finding{confidence: High, facts: []Fact{fact("unacknowledged", count("connections", n), lasting(f.span()/3))}}
	if _, grows := f.grows(dead); grows {
		found.severity = Leak
	} else if c := f.since(f.serverConns); c != nil && c.Closed > 0 {
		return nil // a timeout ends them
	}
	return found
}

package verdict

import "socketlab/internal/series"

const HalfOpenConnections Kind = "half-open-connections"

var _ = register(Rule{
	Kind: HalfOpenConnections, Severity: Fault,
	Rank:       rankServer, // before server-idle-clients: a dead client is silent, too
	Title:      "the server holds connections whose other end does not answer",
	Means:      "What was sent is sent again and again and is not acknowledged: the client has vanished, or the network between. The kernel gives up after some 15 minutes.",
	Recognised: "At least three connections at the server's end have data that was sent again and is not acknowledged, throughout the last third of the time.",
	Needs:      []Need{needActivity},
	Fix:        "Set a write deadline, or TCP_USER_TIMEOUT; keep-alive probes do not help while data is unacknowledged.",
	Sentences: map[string]string{
		"unacknowledged": "{connections|connection has|connections have} sent data again and got no acknowledgement, for {for_ms} or longer.",
	},
	recognise: halfOpenConnections{},
})

type halfOpenConnections struct{}

func (halfOpenConnections) find(f *facts) *finding {
	if !f.ownServer() {
		return nil
	}
	n := f.least(3, func(s *series.Sample) int { return s.Server.Activity.Dead })
	if n < few {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("unacknowledged", count("connections", n), lasting(f.span()/3))}}
}

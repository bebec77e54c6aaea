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
	Recognised: "Sockets in SYN_SENT that sent their SYN more than once, throughout the last third of the time and at least one second.",
	Limits:     "Without activity from tcp_info: three or more sockets in SYN_SENT in each of these samples.",
	Fix:        "Give the dialer a timeout of a few seconds, retry with back-off and a limit, and find out why the destination does not answer.",
	Sentences: map[string]string{
		"syn_sent": "{sockets|socket has|sockets have} been in SYN_SENT for {for_ms} or longer: the destination does not answer.",
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
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("syn_sent", count("sockets", n), lasting(f.span()/3))}}
}

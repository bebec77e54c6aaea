package verdict

import "socketlab/internal/socketstats"

const PortExhaustion Kind = "port-exhaustion"

var _ = register(Rule{
	Kind: PortExhaustion, Severity: Fault, Rank: rankLimits,
	Title:      "local ports to one destination are about to run out",
	Means:      "Each connection to one address and port needs a local port of its own, also for the minute in TIME_WAIT. When none is left, connecting fails with EADDRNOTAVAIL.",
	Recognised: "At least eight tenths of the range of local ports are in use to one destination.",
	Needs:      []Need{needPorts},
	Fix:        "Use connections again; a wider net.ipv4.ip_local_port_range or more destination addresses only buy time.",
	Sentences: map[string]string{
		"ports": "{used} of {limit|local port} to one destination are in use. {time_wait|socket is|sockets are} in TIME_WAIT to any destination.",
	},
	recognise: portExhaustion{},
})

type portExhaustion struct{}

func (portExhaustion) find(f *facts) *finding {
	used, limit := maxPerDestination(f.last()), f.subject.Limits.Ports
	if 10*used < 8*limit {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("ports", count("used", used), count("limit", limit),
		count("time_wait", clientIn(socketstats.TimeWait)(f.last())))}}
}

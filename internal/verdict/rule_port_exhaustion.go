package verdict

import "socketlab/internal/socketstats"

const PortExhaustion Kind = "port-exhaustion"

var _ = register(Rule{
	Kind: PortExhaustion, Severity: Fault, Rank: rankLimits, Scenario: "ephemeral-ports",
	Title:      "local ports to one destination are about to run out",
	Means:      "Each connection to one address and port needs a local port of its own, also for the minute in TIME_WAIT. When none is left, connecting fails with EADDRNOTAVAIL.",
	Recognised: "At least eight tenths of the range of local ports are in use to one destination. With client-side counters also where at least three requests failed with EADDRNOTAVAIL, beside ten sockets or more to one destination.",
	Limits:     "A program that binds to an address which its machine has not got gets EADDRNOTAVAIL as well: without sockets to one destination it is not reported.",
	Needs:      []Need{needPorts},
	Fix:        "Use connections again; a wider net.ipv4.ip_local_port_range or more destination addresses only buy time.",
	Sentences: map[string]string{
		"ports":   "{used} of {limit|local port} to one destination are in use. {time_wait|socket is|sockets are} in TIME_WAIT to any destination.",
		"refused": "{failed|request} failed because no local port was free (EADDRNOTAVAIL), with {used|socket} to one destination.",
	},
	recognise: portExhaustion{},
})

type portExhaustion struct{}

func (portExhaustion) find(f *facts) *finding {
	used, limit := maxPerDestination(f.last()), f.subject.Limits.Ports
	if limit > 0 && 10*used >= 8*limit {
		return &finding{confidence: High, facts: []Fact{fact("ports", count("used", used), count("limit", limit),
			count("time_wait", clientIn(socketstats.TimeWait)(f.last())))}}
	}
	if !f.counted() {
		return nil
	}
	failed, most := f.last().Requests.Errors["EADDRNOTAVAIL"], f.most(maxPerDestination)
	if failed < few || most < 2*several {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{f.requests(), fact("refused", count("failed", failed), count("used", most))}}
}

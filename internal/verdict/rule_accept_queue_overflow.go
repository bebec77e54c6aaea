package verdict

const AcceptQueueOverflow Kind = "accept-queue-overflow"

var _ = register(Rule{
	Kind: AcceptQueueOverflow, Severity: Fault, Rank: rankSign, Scenario: "accept-backlog-overflow",
	Title:      "a listener's accept queue is full",
	Means:      "The kernel completes handshakes faster than the program accepts. It drops what comes then, and clients try again after one second, two, four.",
	Recognised: "More connections wait than the listener's backlog in two samples, or the kernel's ListenOverflows rose in a network namespace of the subject's own.",
	Limits:     "On a host the kernel's counters are everybody's and are not used. An overflow between two samples is not seen there.",
	Fix:        "Accept in a loop that does nothing else, raise the backlog (the smaller of listen's and net.core.somaxconn), and shed load before the queue does.",
	Sentences: map[string]string{
		"queue":     "{waiting|connection waits|connections wait} to be accepted where the backlog is {backlog}, in {full} of {samples|sample}[; the kernel counted {overflows|overflow}].",
		"overflows": "The kernel counted {overflows|connection that found|connections that found} the accept queue full.",
	},
	recognise: acceptQueueOverflow{},
})

type acceptQueueOverflow struct{}

func (acceptQueueOverflow) find(f *facts) *finding {
	full, most, backlog := 0, 0, 0
	for i := range f.Samples {
		if q := f.Samples[i].Queue; q != nil && q.Waiting > q.Limit {
			full++
			most, backlog = max(most, q.Waiting), q.Limit
		}
	}
	switch overflows := f.kernel("ListenOverflows"); {
	case full >= 2:
		return &finding{confidence: High, facts: []Fact{fact("queue", count("waiting", most), count("backlog", backlog),
			count("full", full), count("samples", len(f.Samples)), some("overflows", max(0, overflows)))}}
	case overflows > 0:
		return &finding{confidence: High, facts: []Fact{fact("overflows", count("overflows", overflows))}}
	}
	return nil
}

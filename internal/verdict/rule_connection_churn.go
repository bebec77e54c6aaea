package verdict

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const ConnectionChurn Kind = "connection-churn"

var _ = register(Rule{
	Kind: ConnectionChurn, Severity: Note, Rank: rankReuse + 1, Scenario: "idle-pool-too-small",
	Title:      "a connection is opened for a request or two, and closed",
	Means:      "Each request pays for a handshake, and each close leaves a socket in TIME_WAIT for a minute at the end that closed first (none after a reset). Local ports to the destination can run out.",
	Recognised: "With client-side counters: at least ten connections more were opened than the requests needed at once, and half as many as requests. Without: what was open was replaced three times over, at least ten times, and half of what closed had been used once or twice (the client sent at most four segments with data, or eight and the server one to four). Where only counts are known: TIME_WAIT is three times what is open. It is a note with its price, and a fault once requests fail, or half of the local ports to one destination are taken, or will be within the minute of TIME_WAIT.",
	Limits:     "Why they are closed does not show in sockets: an idle pool too small, keep-alive switched off, a body that was not read to its end, no pool at all. One connection in twenty seconds is below it. What a server accepts is not judged: its clients come and go. Logins and health checks are short by design. On a machine too slow for its load even good code has more requests in flight than its pool was made for.",
	Fix:        "Keep connections open and use them again: leave keep-alive on, let the pool hold as many idle connections as there are requests at once (in Go MaxIdleConnsPerHost; the default is 2), and read bodies to their end.",
	Sentences: map[string]string{
		"open":      "No sample shows more than {open|open connection}.",
		"time_wait": "{sockets|socket was|sockets were} in TIME_WAIT at most.",
		"resets":    "{resets|reset was|resets were} sent. A reset leaves no socket.",
		"churn":     "{opened|connection was|connections were} opened and {closed} closed in {for_ms}, with at most {open} open at once[; of {with_tcp_info} closed ones {short_lived|was|were} used once or twice].",
		"price":     "That is {per_second}[; {ports} of {limit|local port} to one destination are taken][, {time_wait} of all sockets by TIME_WAIT].",
		"inferred":  "{inferred} of the closed connections are attributed to this process because no other process was seen to connect to their destination.",
	},
	recognise: connectionChurn{},
})

type connectionChurn struct{}

func (connectionChurn) find(f *facts) *finding {
	alive, last := f.most(clientAlive), f.conns(f.last())
	switch {
	case f.counted() && last != nil:
		return f.churnOfRequests(alive)
	case last != nil:
		return f.churnOfConns(f.since(f.clientConns), alive)
	case f.serves():
		return nil // its clients come and go
	}
	n := f.timeWait()
	if n < 2*several || n < 3*alive {
		return nil
	}
	return &finding{confidence: Medium, facts: []Fact{fact("time_wait", count("sockets", n)), fact("open", count("open", f.most(clientOpen)))}}
}

// clientAlive counts the connections at the client's end that are open, and those that it
// closed and whose end the server has not confirmed: these were needed at the same time, too.
func clientAlive(s *series.Sample) int { return clientOpen(s) + s.Client.Counts.Unowned() }

// serves reports whether the subject is a server rather than a client: it listens,
// or accepted more than it opened, as far as the samples show.
func (f *facts) serves() bool {
	all := func(c socketstats.Counts) int { return c.Total() - c.Of(socketstats.Listen) }
	accepted := f.most(func(s *series.Sample) int { return all(s.Server.Counts) })
	opened := f.most(func(s *series.Sample) int { return all(s.Client.Counts) })
	listens := f.most(serverIn(socketstats.Listen)) > 0
	return !f.subject.Paired && (accepted > opened || (accepted == opened && listens))
}

// churnOfRequests compares the connections that were opened with those that the
// requests needed: as many as were in flight at once, and one more for each attempt
// that failed, or two if the server opens one for it as well. A client's counters
// are read after its sockets are counted, on a busy machine well after: what was
// opened meanwhile is in no count. So those of the sample before are taken.
func (f *facts) churnOfRequests(alive int) *finding {
	if len(f.Samples) < 2 {
		return nil
	}
	before := f.conns(&f.Samples[len(f.Samples)-2])
	if before == nil {
		return nil
	}
	r := f.last().Requests
	lost := int(max(r.Failed, f.attempts()-r.OK-r.InFlight))
	if f.subject.Relayed {
		lost *= 2
	}
	wasted := before.Opened - alive - lost
	if wasted < 2*several || 2*wasted < int(r.OK)-alive {
		return nil
	}
	facts := []Fact{f.requests(), fact("open", count("open", f.most(clientOpen)))}
	if n := f.timeWait(); n > 0 {
		facts = append(facts, fact("time_wait", count("sockets", n)))
	}
	if n := f.kernel("OutRsts"); 2*int(n) > wasted {
		facts = append(facts, fact("resets", count("resets", n)))
	}
	found := &finding{confidence: High, facts: facts}
	if r.Failed >= few || f.portsTaken() {
		found.severity = Fault
	}
	return found
}

// portsTaken reports whether half of the local ports to one destination are taken.
func (f *facts) portsTaken() bool {
	return f.subject.Limits.Ports > 0 && 2*f.most(maxPerDestination) >= f.subject.Limits.Ports
}

// portsInSight reports whether half of the local ports will be in TIME_WAIT at this
// rate, where it is this end that closes first.
func (f *facts) portsInSight(opened int) bool {
	due := float64(opened) / f.span().Seconds() * timeWaitLength.Seconds()
	return f.subject.Limits.Ports > 0 && 2*due >= float64(f.subject.Limits.Ports) && 2*f.most(clientIn(socketstats.TimeWait)) > min(opened, f.subject.Limits.Ports)
}

// churnOfConns is for clients without counters: what was open was replaced again and
// again, and what is known of the closed ones is that they carried little.
func (f *facts) churnOfConns(c *series.ConnCounts, alive int) *finding {
	replaced := c.Opened - alive
	if replaced < 2*several || replaced < 3*alive || c.Closed < 2*several || 2*c.ShortLived < c.WithTCPInfo {
		return nil
	}
	found := &finding{confidence: High}
	values := []Quantity{count("opened", c.Opened), count("closed", c.Closed), lasting(f.span()), count("open", f.most(clientOpen))}
	if c.WithTCPInfo > 0 {
		values = append(values, count("short_lived", c.ShortLived), count("with_tcp_info", c.WithTCPInfo))
	} else {
		found.confidence = Medium
	}
	price := []Quantity{perSecond(float64(c.Opened) / f.span().Seconds())}
	if limit := f.subject.Limits.Ports; limit > 0 && f.most(maxPerDestination) > 0 {
		price = append(price, count("ports", maxPerDestination(f.last())), count("limit", limit))
	}
	found.facts = []Fact{fact("churn", values...), fact("price", append(price, some("time_wait", f.timeWait()))...)}
	if f.portsTaken() || f.portsInSight(c.Opened) {
		found.severity = Fault
	}
	if 2*c.Inferred > c.Closed {
		found.confidence = Medium
		found.facts = append(found.facts, fact("inferred", count("inferred", c.Inferred)))
	}
	return found
}

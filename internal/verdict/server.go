package verdict

import "fmt"

// answersCutOff finds a listener that went away, and requests that failed with
// it.
func answersCutOff(f *facts) *finding {
	if !f.clientCounted() || serverIn(listening)(f.last()) > 0 {
		return nil
	}
	for i := len(f.Samples) - 1; i >= 0; i-- {
		if serverIn(listening)(&f.Samples[i]) == 0 {
			continue
		}
		// The client metrics are made a moment after the list: it may have happened between.
		before, now := f.Samples[max(0, i-1)].Requests, f.last().Requests
		cut, finished := now.CutOff-before.CutOff, now.answered()-before.answered()
		if cut < handful || 2*cut < finished {
			return nil
		}
		return &finding{kind: UngracefulShutdown, confidence: High, evidence: []string{fmt.Sprintf(
			"The server's listener went away, and of %s that ended since, %d had no answer.",
			plural(finished, "request"), cut)}}
	}
	return nil
}

// queueOverflow finds a listener with more connections waiting than it may
// have, or a kernel that counted the ones it turned away.
func queueOverflow(f *facts) *finding {
	full, most, limit := 0, 0, 0
	for i := range f.Samples {
		if q := f.Samples[i].Queue; q != nil && q.Waiting > q.Limit {
			full++
			most, limit = max(most, q.Waiting), q.Limit
		}
	}
	turnedAway := f.last().Kernel["ListenOverflows"] - f.Samples[0].Kernel["ListenOverflows"]
	switch {
	case full >= 2:
		text := fmt.Sprintf("%s to be accepted where %d may, in %d of %d samples", plural(most, "connection waits", "connections wait"), limit, full, len(f.Samples))
		if turnedAway > 0 {
			text += fmt.Sprintf("; the kernel turned away %d", turnedAway)
		}
		return &finding{kind: AcceptQueueOverflow, confidence: High, evidence: []string{text + "."}}
	case turnedAway > 0:
		return &finding{kind: AcceptQueueOverflow, confidence: High, evidence: []string{fmt.Sprintf(
			"The kernel turned away a connection %s because the queue of those to be accepted was full.", plural(int(turnedAway), "time"))}}
	}
	return nil
}

// clientsSeen reports whether the other ends of the server's connections are
// among the samples. They say more than the server's.
func (f *facts) clientsSeen() bool {
	return f.Paired && 2*f.most(clientOpen) >= f.most(serverOpen)
}

// serverHoldsDead finds connections whose other end does not acknowledge.
func serverHoldsDead(f *facts) *finding {
	if !f.used() {
		return nil
	}
	n := f.lasting(3, func(s *Sample) int { return s.Server.Activity.Dead })
	if n < handful {
		return nil
	}
	return &finding{kind: HalfOpenConnections, confidence: High, evidence: []string{fmt.Sprintf(
		"%s sent data again and got no acknowledgement, for %s and longer.", plural(n, "connection has", "connections have"), short(f.span()/3))}}
}

// serverHoldsIdle finds accepted connections that say nothing and grow.
func serverHoldsIdle(f *facts) *finding {
	if f.clientsSeen() || !f.used() {
		return nil
	}
	t := f.trendOf(f.held)
	if !t.grows {
		return nil
	}
	text := fmt.Sprintf("%s silent for %s or longer, growing by %s; none is given back",
		plural(f.held(f.last()), "accepted connection has been", "accepted connections have been"), short(f.silent), rate(t.perSecond))
	if fresh := f.last().Server.Activity.Fresh.AtLeast(f.silent); fresh > 0 {
		text += fmt.Sprintf("; %d of them never sent anything", fresh)
	}
	return &finding{kind: ServerIdleClients, confidence: High, evidence: []string{text + "."}}
}

// pileUp finds open connections that grow where nothing tells what they do.
func pileUp(f *facts) *finding {
	if f.clientCounted() || f.used() {
		return nil
	}
	open, whose := clientOpen, "open connections"
	t := f.trendOf(open)
	if !t.grows {
		open, whose = serverOpen, "accepted connections"
		t = f.trendOf(open)
	}
	if !t.grows {
		return nil
	}
	return &finding{kind: ConnectionGrowth, confidence: f.sureOf(t), evidence: []string{fmt.Sprintf(
		"%d %s, %d more than at first, growing by %s; none is given back.",
		open(f.last()), whose, open(f.last())-open(&f.Samples[0]), rate(t.perSecond))},
		otherwise: []Alternative{{IdleConnectionsNotReused, "whether the connections are idle"}, {ResponseBodyLeak, bodyRecognisedBy}}}
}

// sureOf is medium for growth over a good number of samples.
func (f *facts) sureOf(t trend) Confidence {
	if len(f.busy) < 2*Least || t.chance > unlikely/10 {
		return Low
	}
	return Medium
}

package verdict

import (
	"fmt"
	"time"

	"socketlab/internal/socketstats"
)

const (
	established = socketstats.Established
	synSent     = socketstats.SynSent
	closeWait   = socketstats.CloseWait
	timeWait    = socketstats.TimeWait
	listening   = socketstats.Listen
)

// stuckDialing finds sockets that ask for a connection and get no answer.
// Where it is known which of them have asked again, only those count: far away,
// some are always under way.
func stuckDialing(f *facts) *finding {
	asking := clientIn(synSent)
	if f.used() {
		asking = func(s *Sample) int { return s.Client.Activity.Resent }
	}
	n := f.lasting(3, asking)
	if n == 0 || f.life(f.span()/3) < time.Second || (!f.used() && n < handful) {
		return nil
	}
	return &finding{kind: ConnectStalled, confidence: High, evidence: []string{fmt.Sprintf(
		"%s in SYN_SENT for %s and longer: what they ask for is not answered.",
		plural(n, "socket has been", "sockets have been"), short(f.span()/3))}}
}

// settled is how many sockets that nobody is about to give back are worth a
// word even if they do not grow.
const settled = 5

// closedByPeerOnly finds CLOSE_WAIT that stays. A client whose requests were
// answered on these connections has not closed the bodies; of a client whose
// connections served many requests it is the pool that does not look.
func closedByPeerOnly(f *facts) *finding {
	if len(f.Samples) < Least {
		return nil
	}
	client, server := f.staying(clientIn(closeWait)), f.staying(serverIn(closeWait))
	switch r := f.last().Requests; {
	case client == 0 && server == 0:
		return nil
	case client > 0 && r != nil && 2*(r.answered()-r.CutOff) >= client && r.Reused*4 <= r.answered():
		return &finding{kind: ResponseBodyLeak, confidence: High, evidence: []string{f.work(), fmt.Sprintf(
			"The server has closed %s, and the client holds on to %s: CLOSE_WAIT.", plural(client, "connection"), itOrThem(client))}}
	case client > 0:
		return &finding{kind: CloseWaitLeak, confidence: f.surerIfGrowing(clientIn(closeWait)), evidence: f.closeWaits(client, clientIn(closeWait)),
			otherwise: []Alternative{{ResponseBodyLeak, "whether the program speaks HTTP, and closes every response's body"}}}
	default:
		return &finding{kind: CloseWaitLeak, confidence: f.surerIfGrowing(serverIn(closeWait)), evidence: f.closeWaits(server, serverIn(closeWait))}
	}
}

// staying is how many sockets there are that grow, or are there for good.
func (f *facts) staying(figure func(*Sample) int) int {
	if n := f.lasting(4, figure); n >= settled {
		return n
	}
	if f.trendOf(figure).grows {
		return figure(f.last())
	}
	return 0
}

// surerIfGrowing is how sure it is that what stays is a leak.
func (f *facts) surerIfGrowing(figure func(*Sample) int) Confidence {
	if f.trendOf(figure).grows {
		return High
	}
	return Medium
}

func (f *facts) closeWaits(n int, figure func(*Sample) int) []string {
	text := fmt.Sprintf("The other end has closed %s, and this process has not: CLOSE_WAIT", plural(n, "connection"))
	if t := f.trendOf(figure); t.grows {
		return []string{text + fmt.Sprintf(", growing by %s.", rate(t.perSecond))}
	}
	return []string{text + fmt.Sprintf(", for %s and longer.", short(f.span()/4))} // see staying
}

func itOrThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// bodiesNotRead finds answers that stay in the kernel's buffer.
func bodiesNotRead(f *facts) *finding {
	if !f.used() {
		return nil
	}
	unread := func(s *Sample) int { return s.Client.Activity.Unread }
	t := f.trendOf(unread)
	switch n := f.lasting(2, unread); {
	case t.grows:
		return &finding{kind: ResponseBodyLeak, confidence: High, evidence: []string{fmt.Sprintf(
			"%s data that the program does not read, growing by %s.",
			plural(unread(f.last()), "connection has", "connections have"), rate(t.perSecond))}}
	case n >= settled && len(f.Samples) >= Least:
		return &finding{kind: ResponseBodyLeak, confidence: Medium, evidence: []string{fmt.Sprintf(
			"%s data that the program does not read, all the time for %s.", plural(n, "connection has", "connections have"), short(f.span()/2))}}
	}
	return nil
}

// poolExhausted finds requests that have no connection to wait on. Only a
// client metrics show them.
func poolExhausted(f *facts) *finding {
	if !f.clientCounted() {
		return nil
	}
	pool := clientOpen
	if f.Relayed { // the pool is the server's
		pool = func(s *Sample) int { return s.UpstreamConns }
	}
	if f.trendOf(pool).grows {
		return nil
	}
	n := f.lasting(2, func(s *Sample) int {
		if pool(s) == 0 {
			return 0
		}
		return s.Requests.InFlight - pool(s)
	})
	if n < handful {
		return nil
	}
	evidence := []string{fmt.Sprintf("%s under way and only %s open: the rest wait for one.",
		plural(f.pending(), "request is", "requests are"), plural(pool(f.last()), "connection is", "connections are"))}
	if use := f.last().Client.Activity; use != nil && use.Received.AtLeast(f.silent) == clientOpen(f.last()) {
		evidence = append(evidence, fmt.Sprintf("All of these have had their answer and been silent since for %s or longer: they are held, not busy.", short(f.silent)))
	}
	return &finding{kind: PoolExhaustion, confidence: High, evidence: evidence}
}

// patience is how long an answer may take before it is said to hang: most
// clients and proxies give up by then.
const patience = 30 * time.Second

// noAnswer is how long requests must have waited to the end of a run in which
// none was answered.
const noAnswer = 2 * time.Second

// requestsHang finds requests that wait for too long: by the client metrics, or
// by what the kernel says of connections that sent last.
func requestsHang(f *facts) *finding {
	if !f.clientCounted() {
		n := unanswered(f.last(), patience)
		if n < handful {
			return nil
		}
		return &finding{kind: RequestStalled, confidence: Medium, evidence: []string{fmt.Sprintf(
			"%s sent last, and had no answer for %s or longer.", plural(n, "connection has", "connections have"), short(patience))}}
	}
	r := f.last().Requests
	if r.InFlight < handful || f.lasting(3, func(s *Sample) int { return s.Requests.InFlight }) < handful {
		return nil
	}
	wait := f.longestWait()
	slow := r.Slowest > 0 && wait >= 5*r.Slowest && f.life(wait) >= time.Second
	never := f.Ended && r.answered() == 0 && wait >= f.span()/2 && f.life(wait) >= noAnswer
	if f.life(wait) < patience && !slow && !never {
		return nil
	}
	text := fmt.Sprintf("%s for an answer, the oldest for %s or longer", plural(r.InFlight, "request waits", "requests wait"), short(wait))
	if r.answered() == 0 {
		text += "; none was ever answered"
	}
	return &finding{kind: RequestStalled, confidence: High, evidence: []string{f.work(), text + "."}}
}

// longestWait is how long the oldest request has waited at least, if they are
// answered in the order in which they were sent.
func (f *facts) longestWait() time.Duration {
	for i := range f.Samples {
		if f.Samples[i].Requests.Sent > f.last().Requests.answered() {
			return f.at[len(f.at)-1] - f.at[i]
		}
	}
	return 0
}

// bodyRecognisedBy is what separates a forgotten connection from a forgotten body.
const bodyRecognisedBy = "what happens when the server closes idle connections: forgotten ones go away, those with a body stay in CLOSE_WAIT"

// idleNotReused finds connections that were opened although idle ones were
// there, and that stay idle.
func idleNotReused(f *facts) *finding {
	if !f.clientCounted() {
		return f.idleGrows()
	}
	if n := len(f.Samples); n < handful || (n < Least && !f.Ended) {
		return nil
	}
	needless := f.needless()
	r := f.last().Requests
	if f.lasting(6, f.idle) < handful || needless < handful || r.Reused*4 > needless {
		return nil
	}
	return &finding{kind: IdleConnectionsNotReused, confidence: f.likely(needless), evidence: []string{f.work(), fmt.Sprintf(
		"%s open and idle now; %d were opened although one was free.",
		plural(f.idle(f.last()), "connection is", "connections are"), needless)},
		otherwise: []Alternative{{ResponseBodyLeak, bodyRecognisedBy}}}
}

func (f *facts) likely(n int) Confidence {
	if n >= 2*settled {
		return High
	}
	return Medium
}

// needless counts connections that were opened while as many were idle, and
// stay so to the end. The client metrics are made a moment after the list, so a few that
// are just being closed look idle: they do not stay.
func (f *facts) needless() int {
	needless, stay := 0, f.idle(f.last())
	for i := len(f.Samples) - 1; i > 0; i-- {
		now, before := f.Samples[i].Flow, f.Samples[i-1].Flow
		stay = min(stay, f.idle(&f.Samples[i-1]))
		if now != nil && before != nil {
			needless += min(now.Opened-before.Opened, stay)
		}
	}
	return needless
}

// idleGrows finds idle connections that grow in a client without metrics of its own, all the
// time or in the second half of it. When a load falls its connections become
// idle, too; then as many are talking no more.
func (f *facts) idleGrows() *finding {
	if !f.used() {
		return nil
	}
	t := f.idleTrend(0)
	if half := len(f.busy) / 2; !t.grows && half >= 2*Least {
		t = f.idleTrend(half)
	}
	if !t.grows {
		return nil
	}
	n := f.idle(f.last())
	return &finding{kind: IdleConnectionsNotReused, confidence: f.sureOf(t), evidence: []string{fmt.Sprintf(
		"%s had an answer and nothing since for %s or longer, growing by %s; none is given back.",
		plural(n, "connection has", "connections have"), short(f.silent), rate(t.perSecond))},
		otherwise: []Alternative{{ResponseBodyLeak, bodyRecognisedBy}}}
}

func (f *facts) idleTrend(from int) trend {
	t := f.trendFrom(from, f.idle)
	if !t.grows {
		return t
	}
	fewer := f.trendFrom(from, func(s *Sample) int { return -f.talkingNow(s) })
	if fewer.chance < unlikely && 2*fewer.perSecond > t.perSecond {
		t.grows = false
	}
	return t
}

// thrownAway finds connections that are closed though they could have been used
// again.
func thrownAway(f *facts) *finding {
	flow := f.last().Flow
	peak := f.most(clientOpen)
	switch {
	case f.clientCounted() && flow != nil:
		return f.churnByClientMetrics(peak)
	case f.serves():
		return nil // its clients come and go
	case flow != nil:
		return f.thrownAwayByFlow(flow, peak)
	}
	lingering := max(f.most(clientIn(timeWait)), f.most(serverIn(timeWait)))
	if lingering < 2*settled || lingering < 3*peak {
		return nil
	}
	return &finding{kind: ConnectionChurn, confidence: Medium, evidence: []string{fmt.Sprintf(
		"%s in TIME_WAIT at most, and never more than %d open.", plural(lingering, "socket was", "sockets were"), peak)}}
}

// serves reports whether the subject is a server rather than a client: it
// listens, or accepted more than it opened, as far as the samples show.
func (f *facts) serves() bool {
	all := func(c socketstats.Counts) int { return c.Total() - c.Of(listening) }
	accepted := f.most(func(s *Sample) int { return all(s.Server.Counts) })
	opened := f.most(func(s *Sample) int { return all(s.Client.Counts) })
	listens := f.most(serverIn(listening)) > 0
	return !f.Paired && (accepted > opened || (accepted == opened && listens))
}

// churnByClientMetrics sets the connections that were opened against those that
// the requests needed: as many as were under way at once, and one more for each
// try that failed, or two if the server opens one for it as well. The client metrics of a
// sample are read after its sockets are counted, on a busy machine well after: what
// was opened meanwhile is in no count. So those of the sample before are taken.
func (f *facts) churnByClientMetrics(peak int) *finding {
	if len(f.Samples) < 2 || f.Samples[len(f.Samples)-2].Flow == nil {
		return nil
	}
	r, opened := f.last().Requests, f.Samples[len(f.Samples)-2].Flow.Opened
	lost := max(r.Failed, r.Attempts-r.OK-r.InFlight)
	if f.Relayed {
		lost *= 2
	}
	wasted := opened - peak - lost
	if wasted < 2*settled || 2*wasted < r.OK-peak {
		return nil
	}
	evidence := []string{f.work(), fmt.Sprintf("No sample shows more than %d open at once.", peak)}
	if n := max(f.most(clientIn(timeWait)), f.most(serverIn(timeWait))); n > 0 {
		evidence = append(evidence, fmt.Sprintf("%s in TIME_WAIT at most.", plural(n, "socket was", "sockets were")))
	}
	if n := f.last().Kernel["OutRsts"] - f.Samples[0].Kernel["OutRsts"]; 2*int(n) > wasted {
		evidence = append(evidence, fmt.Sprintf("%s sent, which leaves no socket to see.", plural(int(n), "reset was", "resets were")))
	}
	return &finding{kind: ConnectionChurn, confidence: High, evidence: evidence}
}

// thrownAwayByFlow is for clients without metrics of their own: what was open was replaced
// again and again, and what is known of the closed ones is that they carried
// little.
func (f *facts) thrownAwayByFlow(flow *Flow, peak int) *finding {
	turned := flow.Opened - peak
	if turned < 2*settled || turned < 3*peak || flow.Closed < 2*settled {
		return nil
	}
	confidence, carried := Medium, ""
	if flow.WithTCPInfo > 0 {
		if 2*flow.ShortLived < flow.WithTCPInfo {
			return nil
		}
		confidence = High
		carried = fmt.Sprintf("; %d of %d carried an exchange or two", flow.ShortLived, flow.WithTCPInfo)
	}
	if 2*flow.Inferred > flow.Closed {
		confidence = Medium
		carried += "; that they are this process's follows from where they went"
	}
	return &finding{kind: ConnectionChurn, confidence: confidence, evidence: []string{fmt.Sprintf(
		"%s opened and %d closed in %s, never more than %d open at once%s.",
		plural(flow.Opened, "connection was", "connections were"), flow.Closed, short(f.span()), peak, carried)}}
}

package verdict

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const IdleConnectionsNotReused Kind = "idle-connections-not-reused"

// bodyTest tells a forgotten connection from a forgotten body.
const bodyTest = "whether each response's body is closed (of Go, --where says it): when the server closes, open ones stay in CLOSE_WAIT"

var _ = register(Rule{
	Kind: IdleConnectionsNotReused, Severity: Leak, Rank: rankReuse, Scenario: "transport-per-request",
	Title:      "connections stay open and idle, and no request uses them again",
	Means:      "Each request opens a connection, gets its response, and leaves the connection idle in a pool that nobody uses again. Descriptors and memory grow at both ends until a limit, or until the server closes idle connections: then as many are closed as opened, and each was used once.",
	Recognised: "With client-side counters: connections are opened while others are idle and stay idle, and hardly a request reuses one. Without: connections at the client's end that were used once at most, or have been silent for 100 s, grow; fewer than fifteen more are not sure before they have grown for two minutes, and if a third of what became more is used again, or none was opened of late, a pool may be filling; and while what the same program accepted grows half as fast or faster, it may be a proxy whose clients join and are silent. Or they do not grow (a fault, and no leak) while at least ten were opened and at least seven in ten of them beside idle ones, nearly all were used once or twice, they last two seconds or longer, and no more than half of them were closed within a second of their last data: those are sessions that come to their end. With --port, where the server is observed, and where the client's end closes them itself (TIME_WAIT), what does not grow is a note, and what grows is sure after 40 s at the earliest: visitors leave their connections to the server's idle timeout, too.",
	Limits:     "Unless the client's own pool says what it has got back, a response body that was not closed looks the same until the server closes its end. A pool that a growing load fills, and that is idle then, looks like it while it fills. A connection to each of many hosts, or of each of many processes that do not become more, is not reported.",
	Needs:      []Need{needMetricsOrActivity},
	Fix:        "Make one client with one pool (in Go one http.Client with one Transport) and share it; limit its idle connections and give them a timeout.",
	Sentences: map[string]string{
		"needless": "{idle|connection is|connections are} open and idle; {needless|connection was|connections were} opened while another was idle.",
		"idle":     "{idle|connection has|connections have} had a response and nothing since for {for_ms} or longer, growing by {growth_per_second}.",
		"opened":   "{opened} opened and {closed} closed in {for_ms}; of {open} open now {once|was|were} used once at most.",
		"plateau":  "{opened|connection was|connections were} opened in {for_ms} and {closed} closed, {needless} of them beside idle ones. They last about {life_ms}: as long as an idle timeout lets them.",
		"closes":   "This end closes them itself, after a silence: a cache of connections that is full looks the same.",
		"visitors": "Many visitors of a server look the same: each leaves its connection to the server's idle timeout. To judge the program, observe it with --pid.",
		"once":     "Of {open|connection} open now {once|was|were} used once at most[; of {with_tcp_info} closed ones {short_lived|was|were} used once or twice].",
	},
	recognise: idleConnectionsNotReused{},
})

type idleConnectionsNotReused struct{}

func (idleConnectionsNotReused) find(f *facts) *finding {
	if !f.counted() {
		if found := f.idleGrows(); found != nil {
			return found
		}
		return f.idlePlateau()
	}
	needless := f.leftIdle()
	if needless == 0 {
		return nil
	}
	found := &finding{
		confidence: likely(needless),
		facts:      []Fact{f.requests(), fact("needless", count("idle", f.idle(f.last())), count("needless", needless))},
	}
	switch lent, idle, known := f.lentAfterResponse(); {
	case !known:
		found.confidence, found.alternatives = Medium, []Alternative{{ResponseBodyLeak, bodyTest}}
	case 2*lent >= idle:
		return nil // they are silent, and their pool does not have them
	case f.least(6, f.pooledIdle) < few:
		return nil // they look idle until their next request is counted
	}
	return found
}

// leftIdle counts the connections that a client with counters opened while others were
// idle, and hardly used again; 0 if they are few, or not idle.
func (f *facts) leftIdle() int {
	if len(f.Samples) < series.Least && !f.Over {
		return 0
	}
	if f.moreReceive() {
		return 0 // they are not idle
	}
	needless := f.needless()
	if f.least(6, f.idle) < few || needless < few || 4*f.reused() > int64(needless) {
		return 0
	}
	return needless
}

// pooledIdle counts the connections that the client's pools have. That is not known while one
// is opened that no request has got yet: then those that look idle count.
func (f *facts) pooledIdle(s *series.Sample) int {
	if s.Pool == nil || s.Pool.Idle == nil {
		return f.idle(s)
	}
	return int(*s.Pool.Idle)
}

// lentAfterResponse counts the connections that the client's pools have not got back
// although their requests have ended, beside all that look idle. They are those of the last
// sample in which it is known, of the last six.
func (f *facts) lentAfterResponse() (lent, idle int, known bool) {
	for i := len(f.Samples) - 1; i >= max(0, len(f.Samples)-6); i-- {
		if s := &f.Samples[i]; s.Pool != nil && s.Pool.Idle != nil {
			return max(0, int(s.Pool.InUse)-inFlight(s)), f.idle(s), true
		}
	}
	return 0, 0, false
}

// needless counts connections that were opened while as many were idle, and stay so
// to the end. The client's counters are read a moment after the sockets, so a few
// that are just being closed look idle: they do not stay.
func (f *facts) needless() int { return f.needlessSince(0) }

// needlessSince counts those since a sample.
func (f *facts) needlessSince(from int) int {
	needless, stay := 0, f.idle(f.last())
	for i := len(f.Samples) - 1; i > from; i-- {
		now, before := f.conns(&f.Samples[i]), f.conns(&f.Samples[i-1])
		stay = min(stay, f.idle(&f.Samples[i-1]))
		if now != nil && before != nil {
			needless += min(now.Opened-before.Opened, stay)
		}
	}
	return needless
}

// idleGrows finds idle connections that grow in a client without counters, all the
// time or in its second half.
func (f *facts) idleGrows() *finding {
	t, from := f.idleTrend(0), 0
	if half := len(f.Busy) / 2; !t.Grows && half >= 2*series.Least {
		t, from = f.idleTrend(half), f.Busy[half]
	}
	if !t.Grows || f.spread() || f.fills(from) || f.levelledOff() || f.forItsClients() {
		return nil
	}
	found := &finding{
		confidence:   f.sureOf(t),
		left:         f.forVisitors(),
		facts:        []Fact{fact("idle", count("idle", f.idle(f.last())), lasting(f.silent), growing(t.PerSecond))},
		alternatives: []Alternative{{ResponseBodyLeak, bodyTest}},
	}
	if found.left > 0 {
		found.confidence = Low
	}
	c := f.since(f.clientConns)
	if c == nil || c.Opened == 0 {
		return found
	}
	more := max(c.Opened-c.Closed, clientOpen(f.last())-clientOpen(&f.Samples[0]))
	if left := f.untilLasting(); more < enoughOpened && f.life(f.span()) < lastingGrowth {
		found.confidence, found.left = Low, max(found.left, left)
	}
	found.facts = append(found.facts, fact("opened", count("opened", c.Opened), count("closed", c.Closed), lasting(f.span()),
		count("open", clientOpen(f.last())), count("once", usedOnce(f.last()))))
	if c.Closed == 0 && f.life(f.span()) < lastingGrowth {
		found.alternatives = append(found.alternatives, Alternative{Growing, "whether they are used again, or closed, in two minutes"})
	}
	return found
}

// idlePlateau finds the same where a server closes idle connections: as many are
// closed as opened, and each was used once.
func (f *facts) idlePlateau() *finding {
	c := f.since(f.clientConns)
	if c == nil || c.Opened < 2*several || c.Closed < few || len(f.Samples) < 2*series.Least || !f.singleUse() || f.spread() {
		return nil
	}
	// By Little's law: what is open at a time is what is opened in a second, times
	// the seconds that it lasts.
	life := time.Duration(f.mean(clientOpen) / float64(c.Opened) * float64(f.span()))
	if t := f.trend(0, clientOpen); t.PerSecond > 0 || f.allAlong(clientOpen).Grows {
		return nil // what is never given back rises, at work or between bursts
	}
	needless := f.needlessOpens()
	if f.life(life) < 2*time.Second || 10*needless < 7*c.Opened || 10*c.ShortLived < 7*c.WithTCPInfo || f.least(3, f.resting) == 0 {
		return nil
	}
	if 2*c.AtOnce > c.WithTCPInfo {
		return nil // sessions of some seconds, each closed once it has done its work
	}
	found := &finding{severity: Fault, confidence: Medium, facts: []Fact{
		fact("plateau", count("opened", c.Opened), lasting(f.span()), count("closed", c.Closed), count("needless", needless), millis("life_ms", life)),
	}}
	values := []Quantity{count("open", clientOpen(f.last())), count("once", usedOnce(f.last()))}
	if c.WithTCPInfo > 0 {
		values = append(values, count("with_tcp_info", c.WithTCPInfo), count("short_lived", c.ShortLived))
	}
	found.facts = append(found.facts, fact("once", values...))
	if c.Opened >= 2*enoughOpened && c.WithTCPInfo >= 2*several {
		found.confidence = High
	}
	switch {
	case f.closesFirst():
		found.severity, found.confidence = Note, Medium
		found.facts = append(found.facts, fact("closes"))
	case f.byPort():
		found.severity, found.confidence = Note, Medium
		found.facts = append(found.facts, fact("visitors"))
	}
	return found
}

// fills reports whether a third of the connections that became more since a sample are
// used again, as those of a pool that fills. Or they are so few that a pool may still be
// filling, and that they grow is said.
func (f *facts) fills(from int) bool {
	first, last := f.clientConns(&f.Samples[from]), f.clientConns(f.last())
	if first == nil || last == nil {
		return false
	}
	// What is open is counted, also where not all that was opened was heard.
	more := max(last.Since(*first).Opened-last.Since(*first).Closed, clientOpen(f.last())-clientOpen(&f.Samples[from]))
	if more <= 0 {
		return false // it is not known, or they fell silent
	}
	if more < enoughOpened && !f.Over && f.life(f.span()) < lastingGrowth && f.trend(0, clientOpen).Grows {
		return true
	}
	left := max(usedOnce(f.last())-usedOnce(&f.Samples[from]), f.unused(f.last())-f.unused(&f.Samples[from]))
	return 3*left < 2*more
}

// closesFirst reports whether the client's end closed most of what was closed in the last
// minute: what closes first keeps TIME_WAIT, for that long.
func (f *facts) closesFirst() bool {
	last, from := f.last(), len(f.At)-1
	for from > 0 && f.At[len(f.At)-1]-f.At[from-1] <= time.Minute {
		from--
	}
	before, now := f.clientConns(&f.Samples[from]), f.clientConns(last)
	if before == nil || now == nil {
		return false
	}
	closed := now.Closed - before.Closed
	return closed > 0 && 2*clientIn(socketstats.TimeWait)(last) > closed
}

// byPort reports whether the subject is a client only because it talks to the server
// that is observed.
func (f *facts) byPort() bool {
	return f.subject.Paired && f.subject.Endpoints == nil && !f.counted()
}

// forVisitors is for how much longer connections must grow that are not used again,
// where the server is observed and not the client: visitors of a server use a
// connection once, and leave it to the server to close it.
func (f *facts) forVisitors() time.Duration {
	const long = 40 * time.Second // twice what most servers wait that were set to wait less than a minute
	if !f.byPort() {
		return 0
	}
	return max(0, time.Duration(float64(long)/f.Speed)-f.span())
}

// idleTrend is the trend of idle connections, at work or, from the first sample on, all the
// time: bursts are seldom. When a load falls its connections become idle, too: then as many
// fewer are in use, and it does not grow.
func (f *facts) idleTrend(from int) series.Trend {
	t := f.trend(from, f.unused)
	if !t.Grows && from == 0 {
		t = f.allAlong(f.unused)
	}
	if !t.Grows {
		return t
	}
	fewer := f.trend(from, func(s *series.Sample) int {
		return f.unused(s) + unanswered(s, f.silent) - established(s)
	})
	if fewer.Chance < series.Unlikely && 2*fewer.PerSecond > t.PerSecond {
		t.Grows = false
	}
	return t
}

package verdict

import (
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

const ResponseBodyLeak Kind = "response-body-leak"

var _ = register(Rule{
	Kind: ResponseBodyLeak, Severity: Leak, Scenario: "body-not-closed",
	Rank:       rankSign + 2, // before close-wait-leak, which is the same sign without the counters that say why
	Title:      "responses arrive and their bodies are never closed",
	Means:      "The client has the response's header, and never says that it is done with the body. The connection is neither idle nor in use: the pool cannot give it to another request, and does not notice that the server closes it.",
	Recognised: "Requests get responses on connections that are hardly reused, and the connections stay in CLOSE_WAIT once the server has closed its end, or are silent and were not given back to the pool, by the pool's own account. Or connections are opened beside idle ones that become more and are not used again, while others are. Or connections with unread data grow, or five or more are there throughout to which no data arrives for ten seconds: a program that reads slowly makes room for more. With --where: bodies that are not finished, while the open connections grow; or five or more of which nothing was read for 30 seconds, without a goroutine that waits to read one.",
	Limits:     "A small body is read into the program at once: unless the client's own pool says what it has got back, it looks like idle-connections-not-reused until the server closes the connection, with this as the alternative. A proxy whose own clients do not read for 30 seconds leaves bodies unread, too.",
	Needs:      []Need{needMetricsOrActivity},
	Fix:        "Close every response body, also when only the status matters, and read it to its end first.",
	Sentences: map[string]string{
		"close_wait": "The server has closed {connections|connection} that the client keeps open: CLOSE_WAIT.",
		"lent":       "{connections|connection} had a response, and were neither given back to the pool nor closed.",
		"apart":      "{idle|connection has|connections have} had a response and nothing since for {for_ms} or longer, growing by {growth_per_second}; {needless|connection was|connections were} opened beside idle ones. The pool reuses others, so it does not have these.",
		"unfinished": "{connections|response has a body that was|responses have bodies that were} neither read to the end nor closed in {for_ms} or longer.",
		"forgotten":  "{bodies|response has an open body|responses have open bodies} of which nothing was read in {for_ms} or longer, and no goroutine waits to read.",
		"unread":     "{connections|connection has|connections have} data that the program does not read[, growing by {growth_per_second}][, throughout the last {for_ms}].",
	},
	recognise: responseBodyLeak{},
})

type responseBodyLeak struct{}

func (responseBodyLeak) find(f *facts) *finding {
	// Streams that a program means to read for long are as many as before.
	if _, grows := f.grows(clientOpen); grows && f.subject.Holders.Lasting(where.BodyOpen) >= several {
		n := f.subject.Holders.Lasting(where.BodyOpen)
		return &finding{confidence: High, facts: []Fact{fact("unfinished", count("connections", n), lasting(where.LastingFor))}}
	}
	if n := f.subject.Holders.Unread(); n >= several {
		found := &finding{confidence: High, facts: []Fact{fact("forgotten", count("bodies", n), lasting(where.UnreadFor))}}
		if serverOpen(f.last()) > 0 { // its own clients may have it wait
			found.confidence = Medium
		}
		return found
	}
	if client, server := f.closeWaits(); client > 0 || server > 0 {
		r := f.last().Requests
		if client == 0 || r == nil || 2*(r.Finished()-r.CutOff) < int64(client) || 4*f.reused() > r.Finished() {
			return nil
		}
		return &finding{confidence: High, facts: []Fact{f.requests(), fact("close_wait", count("connections", clientIn(socketstats.CloseWait)(f.last())))}}
	}
	if needless := f.leftIdle(); needless > 0 && f.counted() {
		if lent, idle, known := f.lentAfterResponse(); known && 2*lent >= idle {
			return &finding{confidence: likely(needless), facts: []Fact{f.requests(), fact("lent", count("connections", lent))}}
		}
	}
	if !f.active() {
		return nil
	}
	if found := f.idleOutsideThePool(); found != nil {
		return found
	}
	unread := func(s *series.Sample) int { return s.Client.Activity.Unread }
	// A program that takes its time to read makes room for more, which arrives.
	stalled := func(s *series.Sample) int {
		a := s.Client.Activity
		return min(a.Unread, a.Received.AtLeast(3*time.Second)+a.Sent.AtLeast(3*time.Second))
	}
	if perSecond, grows := f.grows(unread); grows && (f.counted() || stalled(f.last()) >= few) {
		return &finding{confidence: High, facts: []Fact{fact("unread", count("connections", unread(f.last())), growing(perSecond))}}
	}
	if !f.counted() { // a faster run is shorter than the time after which one is held
		unread = func(s *series.Sample) int { return s.Client.Activity.UnreadHeld }
	}
	n := f.least(2, unread)
	if n < several || len(f.Samples) < series.Least {
		return nil
	}
	return &finding{confidence: Medium, facts: []Fact{fact("unread", count("connections", n), lasting(f.span()/2))}}
}

// untilUnread is for how much longer the program should be looked at because bodies are
// open that no goroutine reads; 0 if there are few, or it was for long enough.
func (f *facts) untilUnread() time.Duration {
	r := f.subject.Holders
	if r == nil || r.LookedMS == 0 || r.Lasting(where.BodyOpen) < several {
		return 0
	}
	const slack = 10 * time.Second // they may have been opened meanwhile
	return max(0, where.UnreadFor+slack-time.Duration(r.LookedMS)*time.Millisecond)
}

// idleOutsideThePool finds idle connections that become more in a client whose pool
// reuses others. A pool takes an idle connection before it opens one, so it does not have
// these. Those that a burst leaves behind, or that pools open which come later, do not
// become more while the last quarter of the requests is made.
func (f *facts) idleOutsideThePool() *finding {
	if !f.counted() || len(f.Samples) < series.Least {
		return nil
	}
	silent := func(s *series.Sample) int { return s.Client.Activity.Received.AtLeast(f.silent) }
	perSecond, grows := f.grows(silent)
	needless := f.needless()
	late := slices.IndexFunc(f.Samples, func(s series.Sample) bool {
		return s.Requests != nil && 4*s.Requests.Finished() >= 3*f.last().Requests.Finished()
	})
	if !grows || needless < 2*several || 4*f.reused() <= int64(needless) || f.needlessSince(late) == 0 {
		return nil
	}
	return &finding{
		confidence: Medium,
		facts: []Fact{f.requests(), fact("apart", count("idle", silent(f.last())), lasting(f.silent),
			growing(perSecond), count("needless", needless))},
		alternatives: []Alternative{{IdleConnectionsNotReused, bodyTest}},
	}
}

// closeWaits is how many sockets stay in CLOSE_WAIT at each end.
func (f *facts) closeWaits() (client, server int) {
	if len(f.Samples) < series.Least {
		return 0, 0
	}
	return f.leftIn(clientIn(socketstats.CloseWait), closeWaitHeld(socketstats.Client)), f.leftIn(acceptedCloseWait, closeWaitHeld(socketstats.Server))
}

// leftIn is how many sockets stay in CLOSE_WAIT. A program that takes some seconds for its
// last answers has more of them for as long as it has just started to: of a process that is
// under watch some must be held.
func (f *facts) leftIn(closeWait, held figure) int {
	if n := f.staying(closeWait, held); f.counted() || !f.active() || f.Over || f.Speed != 1 || held(f.last()) >= few {
		return n
	}
	return 0
}

// closeWaitHeld counts the sockets of one end in CLOSE_WAIT on which nothing was said for
// [socketstats.HeldFor]: in others an answer may still be on its way.
func closeWaitHeld(end socketstats.End) figure {
	return func(s *series.Sample) int {
		if a := s.Of(end).Activity; a != nil {
			return a.CloseWaitHeld
		}
		return 0
	}
}

// acceptedCloseWait is what waits in CLOSE_WAIT at the server's end and was accepted: the
// program cannot close what it has not accepted.
func acceptedCloseWait(s *series.Sample) int {
	n := serverIn(socketstats.CloseWait)(s)
	if s.Queue != nil {
		n = max(0, n-s.Queue.Dead)
	}
	return n
}

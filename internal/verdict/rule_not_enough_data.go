package verdict

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/where"
)

const NotEnoughData Kind = "not-enough-data"

var _ = register(Rule{
	Kind:       NotEnoughData,
	Rank:       rankNone, // a fault that shows already is reported at once
	Title:      "too early to say",
	Means:      "There are too few samples, or what they show may still be the beginning of something ordinary: a start-up, a slow response.",
	Recognised: "Fewer than eight samples, or fewer than eight since the last restart, and of a process that counts nothing itself fewer than twenty, also in the longest life of one that is restarted again and again; five or more sockets in CLOSE_WAIT all the time, which is not yet 15 seconds; five or more open bodies that were not watched for long enough (--where); every request failed because this machine has no way to the destination; a program of yours in a run called requests answered, and nothing came to the run's server; requests are in flight and the first of them have no response yet. Or, without privilege, the process has no connections, and children of it came and went between samples, three times or more and in one of ten samples, while connections ended whose process is not known; or it has none, and no listener, while ten attempts to connect or more fail, throughout, whose process is not known.",
	Sentences: map[string]string{
		"ended_early":     "The program ended before a sample showed it at work.",
		"no_sample":       "There is no sample.",
		"no_request":      "No request was sent.",
		"unreached":       "No request got through, and no connection was opened: {errors}.",
		"unsent":          "The program called {answered|request} answered, and nothing came to the run's server: no request and no connection.",
		"restarted":       "The process was restarted.",
		"samples":         "{samples|sample} of at least {needed}.",
		"closed":          "{sockets} TCP sockets without a connection are open: whether they stay shows in {left_ms}.",
		"close_wait":      "{sockets} sockets are in CLOSE_WAIT: whether they stay shows in {left_ms}.",
		"bodies":          "{sockets} connections have a response body that is not finished: whether it is read shows in {left_ms}.",
		"unsettled":       "The process ended before that.",
		"failed_connects": failedConnectsSentence,
		"children":        "Children of the process came and went between samples, {times|time|times} at least, and {connections|connection|connections} ended that may have been theirs: without privilege the kernel does not say. Observe as root, or the server by its port.",
		"waiting":         "{requests|request waits|requests wait} for a response. Observe for longer than a slow response takes.",
	},
	recognise: notEnoughData{},
})

type notEnoughData struct{}

func (notEnoughData) find(f *facts) *finding {
	if f.enough() {
		return f.early()
	}
	last := f.last()
	switch n := max(f.pending(), awaiting(last, f.silent)); {
	case len(f.Samples) >= series.Least && f.childrenConnect():
		return &finding{yields: true, facts: []Fact{f.children()}}
	case len(f.Samples) >= series.Least && f.onlyFails():
		return &finding{yields: true, facts: []Fact{fact("failed_connects", count("attempts", f.attemptsFailed(0)))}}
	case f.counted() && last.Requests.Sent == 0:
		return &finding{facts: []Fact{fact("no_request")}}
	case f.subject.Unreached():
		return &finding{facts: []Fact{fact("unreached", text("errors", last.Requests.ErrorList()))}}
	case f.subject.Unsent() > 0:
		return &finding{facts: []Fact{fact("unsent", count("answered", f.subject.Unsent()))}}
	case len(f.Samples) < series.Least:
		var facts []Fact
		if f.Restarted {
			facts = append(facts, fact("restarted"))
		}
		return &finding{facts: append(facts, fact("samples", count("samples", len(f.Samples)), count("needed", series.Least)))}
	default:
		return &finding{facts: []Fact{fact("waiting", count("requests", n))}, suspects: []Kind{RequestStalled}, left: patience}
	}
}

// enough reports whether what was seen is enough to call it healthy.
func (f *facts) enough() bool {
	if r := f.last().Requests; r != nil && f.Over && f.reused() > 0 && 2*f.reused() >= r.Finished() {
		return true // connections were used again, however short the run
	}
	return len(f.Samples) >= series.Least && !f.subject.Unreached() && f.subject.Unsent() == 0 && !f.starting() && !f.childrenConnect() && !f.onlyFails()
}

// early finds that a process which counts nothing itself, and shows no fault, was not
// watched for as long as the signs that it shows take to become one; nil if it was.
func (f *facts) early() *finding {
	if f.counted() || f.Over && !f.Ended || (growingConns{}).find(f) != nil {
		return nil
	}
	n := len(f.Samples)
	more := time.Duration(max(0, samplesOfCalm-n)) * f.Interval
	found := &finding{yields: true, left: more}
	suspect := func(left time.Duration, kind Kind, name string, shown int) {
		if left <= 0 || shown < several {
			return
		}
		found.left, found.suspects = max(found.left, left), append(found.suspects, kind)
		found.facts = append(found.facts, fact(name, count("sockets", shown), millis("left_ms", left)))
	}
	suspect(more, DescriptorLeak, "closed", ofKind(f.last(), "tcp_closed"))
	if f.active() && f.passedOn() == 0 {
		// All that are there at first are held for HeldFor throughout the last quarter.
		closing := func(s *series.Sample) int { return clientIn(socketstats.CloseWait)(s) + acceptedCloseWait(s) }
		suspect(max(more, 3*socketstats.HeldFor/2-f.span()), CloseWaitLeak, "close_wait", f.least(1, closing))
	}
	if left := f.untilUnread(); left > 0 {
		suspect(left, ResponseBodyLeak, "bodies", f.subject.Holders.Lasting(where.BodyOpen))
	}
	switch {
	case found.left == 0, f.Ended && len(found.facts) == 0:
		return nil
	case f.Ended:
		found.left, found.suspects, found.facts = 0, nil, append(found.facts, fact("unsettled"))
		return found
	}
	if more > 0 {
		found.facts = append(found.facts, fact("samples", count("samples", n), count("needed", samplesOfCalm)))
	}
	return found
}

// childrenConnect reports whether all that the subject does may be done by children that
// no sample shows: it has no connection itself.
func (f *facts) childrenConnect() bool {
	c := f.since(f.clientConns)
	return f.unseenChildren() > 0 && f.most(clientOpen)+f.most(serverOpen) == 0 && (c == nil || c.Opened == 0)
}

// onlyFails reports whether all that the subject does may be attempts to connect that fail: it
// has no connection and no listener, and all the time attempts fail of which it is not known whose
// they are.
func (f *facts) onlyFails() bool {
	c, half := f.last().KernelConns, len(f.Samples)/2
	return f.most(clientOpen)+f.most(serverOpen)+f.most(serverIn(socketstats.Listen)) == 0 && (c == nil || c.Opened == 0) &&
		f.attemptsFailed(0) >= 2*several && f.attemptsFailed(half) >= several
}

// attemptsFailed is how many attempts to connect failed since a sample of which it is not known
// whose they are.
func (f *facts) attemptsFailed(since int) int {
	return f.last().FailedConnects - f.Samples[since].FailedConnects
}

// children says that children of the subject were in no sample.
func (f *facts) children() Fact {
	return fact("children", count("times", f.unseenChildren()), count("connections", f.last().Unattributed-f.Samples[0].Unattributed))
}

// unseenChildren is how often children of the subject came and went that no sample
// shows; 0 if that is hardly ever, and where no connection ended that may have been theirs.
func (f *facts) unseenChildren() int {
	first, last := f.Samples[0].Process, f.last().Process
	if first == nil || last == nil || f.last().Unattributed-f.Samples[0].Unattributed < few {
		return 0
	}
	n := last.UnseenChildren - first.UnseenChildren
	if n < few || 10*n < len(f.Samples) {
		return 0
	}
	return n
}

// starting reports whether connections still grow, or requests still wait, in a way
// that may be a start or a leak.
func (f *facts) starting() bool {
	switch r := f.last().Requests; {
	case r != nil:
		// Before the first round of responses is in, nothing could be reused.
		return r.Sent == 0 || r.Finished() < int64(f.most(inFlight))
	case f.Over || !f.active():
		return false
	}
	waits := func(s *series.Sample) int { return awaiting(s, f.silent) }
	if _, grows := f.grows(waits); grows && waits(f.last()) >= few {
		return true
	}
	return f.neverAnswered(f.last(), f.silent) >= several && !f.waitsByDesign() && looksLikeRequests(f.last().Client.Activity)
}

// pending is the number of requests in flight by the client's counters; 0 where it
// has none.
func (f *facts) pending() int {
	if !f.counted() {
		return 0
	}
	return inFlight(f.last())
}

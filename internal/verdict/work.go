package verdict

import (
	"fmt"
	"time"
)

// The rules of this file go by the client metrics: what became of its
// requests, and how often it tried.

// retryStorm finds requests that were tried again and again, so that the server
// got a multiple of the load.
func retryStorm(f *facts) *finding {
	if !f.clientCounted() {
		return nil
	}
	r := f.last().Requests
	tries := max(r.Attempts, r.Refused)
	if tries-r.Sent < 2*settled || tries < 3*r.Sent {
		return nil
	}
	evidence := []string{fmt.Sprintf("%s became %d attempts: %s for each.",
		plural(r.Sent, "request"), tries, digits(float64(tries)/float64(r.Sent)))}
	if r.Refused > 0 {
		evidence = append(evidence, fmt.Sprintf("%s to connect failed; what is refused leaves no socket to see.",
			plural(r.Refused, "attempt")))
	}
	return &finding{kind: RetryStorm, confidence: High, evidence: evidence}
}

// deadConnectionsUsed finds requests that failed because the connection that
// they were given was no good any more.
func deadConnectionsUsed(f *facts) *finding {
	if !f.clientCounted() {
		return nil
	}
	r := f.last().Requests
	if r.StaleReuse < handful || 2*r.StaleReuse < r.Failed {
		return nil
	}
	return &finding{kind: StaleConnectionReuse, confidence: f.likely(r.StaleReuse), evidence: []string{f.work(), fmt.Sprintf(
		"%s on connections that had served before and were dead by then.", plural(r.StaleReuse, "request failed", "requests failed"))}}
}

// givenUpTooSoon finds a client that gives up on answers which do come: while
// some requests are answered, others are abandoned, and their connections with
// them. Where nothing is answered, giving up is right.
func givenUpTooSoon(f *facts) *finding {
	if !f.clientCounted() {
		return nil
	}
	r, flow := f.last().Requests, f.last().Flow
	if r.TimedOut < 2*settled || 2*r.TimedOut < r.OK || r.OK < handful || flow == nil || 2*flow.Opened < r.TimedOut {
		return nil
	}
	beside := 0 // those abandoned while others were answered
	for i := 1; i < len(f.Samples); i++ {
		before, now := f.Samples[i-1].Requests, f.Samples[i].Requests
		if now.OK > before.OK {
			beside += now.TimedOut - before.TimedOut
		}
	}
	if 2*beside < r.TimedOut {
		return nil
	}
	return &finding{kind: TimeoutTooShort, confidence: High, evidence: []string{f.work(), fmt.Sprintf(
		"%s abandoned after a timeout while others were answered; each took its connection with it.",
		plural(r.TimedOut, "request was", "requests were"))}}
}

// pinnedToOne finds one of several servers that should have requests, and has
// none for the second half of the time.
func pinnedToOne(f *facts) *finding {
	const plenty = 20
	half, last := f.Samples[len(f.Samples)/2].Servers, f.last().Servers
	if len(last) < 2 || len(half) != len(last) {
		return nil
	}
	all, busiest, most, without := 0, "", 0, ""
	for i, s := range last {
		n := s.Requests - half[i].Requests
		all += n
		if n > most {
			busiest, most = s.Name, n
		}
		if s.Due && half[i].Due && n == 0 {
			without = s.Name
		}
	}
	if all < plenty || without == "" {
		return nil
	}
	return &finding{kind: LoadImbalance, confidence: High, evidence: []string{f.work(), fmt.Sprintf(
		"Of the last %d requests %d went to %s and none to %s.", all, most, busiest, without)}}
}

// keptTooLong is how long an idle connection may be kept: longer than servers
// keep theirs (nginx 75 s, Go's own client 90 s).
const keptTooLong = 2 * time.Minute

// idleKept finds idle connections that are kept long after the last request.
func idleKept(f *facts) *finding {
	if !f.clientCounted() {
		return nil
	}
	since, kept := len(f.Samples)-1, f.idle(f.last())
	for since > 0 && f.Samples[since-1].Requests.Sent == f.last().Requests.Sent {
		since--
		kept = min(kept, f.idle(&f.Samples[since]))
	}
	quiet := f.at[len(f.at)-1] - f.at[since]
	if kept < settled || f.life(quiet) < keptTooLong {
		return nil
	}
	return &finding{kind: IdleTimeoutMissing, confidence: High, evidence: []string{f.work(), fmt.Sprintf(
		"%s open and idle for %s after the last request, and no timeout ends them.",
		plural(kept, "connection is", "connections are"), short(quiet))}}
}

package verdict

import (
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const Healthy Kind = "healthy"

var _ = register(Rule{
	Kind:       Healthy,
	Rank:       rankNone + 2, // last: it always fits
	Title:      "no fault found",
	Means:      "Sockets are closed as fast as they are opened, or are kept and used again.",
	Recognised: "No other kind fits, and no count has a trend that lasts.",
	Limits:     "A leak slower than the facts say would not have shown in the time observed. Without privilege, connections and failed attempts to connect whose process is not known make it less sure, and so do requests that fail for a reason that no socket shows, as where a server is overloaded.",
	Sentences: map[string]string{
		"unattributed":    "{connections|connection} opened and closed that may have been this process's: without privilege the kernel does not say. Observe by port, or as root.",
		"refused":         "{attempts|attempt to connect was|attempts to connect were} refused, the last at {address}, and {opened|connection was|connections were} opened.",
		"failed_connects": failedConnectsSentence,
		"children":        "Children of the process came and went between samples, {times|time|times} at least, and {connections|connection|connections} ended that may have been theirs: without privilege the kernel does not say. Observe as root, or the server by its port.",
		"no_connection":   "No connection was seen.",
		"none_known":      "No sample shows a connection of this process.",
		"between":         "No sample shows a connection; {opened|connection was|connections were} opened and {closed} closed between samples.",
		"failed":          "No socket shows why {failed|request} failed: {errors}.",
		AllFailed:         "Every request failed, and no socket shows why: {errors}.",
		"open":            "{most|connection was|connections were} open at most, and {last} at the end.",
		"withdrawn":       "After {after_ms} it looked like a fault; the connections were closed since.",
		"passed_on":       "{clients|connection that it accepted waits|connections that it accepted wait} in CLOSE_WAIT beside as many in FIN_WAIT2: a proxy has passed its clients' FIN on, and the server behind does not close.",
		"close_wait":      "The other end has closed {connections|connection} that this process has not. A pool that checks a connection before it reuses it leaves some, too.",
		"not_seen":        "Not seen: {what}.",
		"slowest_shown":   "A leak slower than {growth_per_second} would not have shown in {for_ms}.",
	},
	recognise: healthy{},
})

// AllFailed names the fact of a healthy subject that no request of it succeeded.
const AllFailed = "all_failed"

const failedConnectsSentence = "{attempts|attempt to connect that failed or was given up|attempts to connect that failed or were given up} may have been this process's: without privilege the kernel does not say whose, nor why. Observe as root."

type healthy struct{}

func (healthy) find(f *facts) *finding {
	found := &finding{confidence: High}
	if !f.counted() {
		found.confidence, found.left = f.calm()
	}
	if f.lives != nil {
		found.confidence = Low
	}
	add := func(name string, values ...Quantity) { found.facts = append(found.facts, fact(name, values...)) }
	if f.counted() {
		found.facts = append(found.facts, f.requests())
	}
	nothing := !f.counted() && f.most(clientOpen)+f.most(serverOpen) == 0
	if n := f.last().Unattributed; n >= 2*several || n > 0 && nothing {
		found.confidence = Low
		add("unattributed", count("connections", n))
	}
	if n := f.attemptsFailed(0); n >= 2*several || n > 0 && nothing {
		found.confidence = Low
		add("failed_connects", count("attempts", n))
	}
	if c := f.since(f.clientConns); !f.counted() && c != nil && c.Refused > 0 {
		add("refused", count("attempts", c.Refused), text("address", c.RefusedAt), count("opened", c.Opened))
	}
	if f.unseenChildren() > 0 {
		found.confidence = Low
		found.facts = append(found.facts, f.children())
	}
	open := clientOpen
	if f.most(serverOpen) > f.most(clientOpen) {
		open = serverOpen
	}
	most := f.most(open)
	if nothing {
		found.confidence = Low
		switch c := f.since(f.conns); {
		case c != nil && c.Opened+c.Closed > 0:
			add("between", count("opened", c.Opened), count("closed", c.Closed))
		case f.last().Unattributed > 0, f.attemptsFailed(0) > 0, f.unseenChildren() > 0:
			add("none_known")
		default:
			add("no_connection")
		}
		if f.conns(f.last()) == nil { // it may have had some all the same
			add("not_seen", text("what", f.notSeen()))
		}
		return found
	}
	add("open", count("most", most), count("last", open(f.last())))
	if after := f.withdrawn(); after > 0 {
		add("withdrawn", millis("after_ms", after))
	}
	if f.counted() {
		// Something is wrong, and not with the connections as far as these show.
		switch r := f.last().Requests; {
		case r.Failed > 0 && r.Failed == r.Finished():
			found.confidence = Low
			add(AllFailed, text("errors", r.ErrorList()))
		case r.Failed >= few && 10*r.Failed >= r.Finished():
			found.confidence = Low
			add("failed", count("failed", r.Failed), text("errors", r.ErrorList()))
		}
		return found
	}
	if n := f.passedOn(); n > 0 {
		add("passed_on", count("clients", n))
	} else if n := f.least(2, clientIn(socketstats.CloseWait)) + f.least(2, serverIn(socketstats.CloseWait)); n > 0 {
		add("close_wait", count("connections", n))
	}
	if f.span() > 0 {
		add("slowest_shown", growing(few/f.span().Seconds()), lasting(f.span()))
	}
	add("not_seen", text("what", f.notSeen()))
	return found
}

// How many samples healthy needs of a process that counts nothing itself: where no
// connection came or went, where some did, and where more are open than at first, or
// more of them have fallen silent, or a connect had to be asked for again.
const (
	samplesOfCalm   = 20
	samplesOfChange = 30
	samplesOfRise   = 60
)

// calm is how sure it is that a process without counters is healthy, and for how much
// longer it should be observed. It is sure only where connections were used again
// beside what came and went, and only after two minutes.
func (f *facts) calm() (Confidence, time.Duration) {
	needed := samplesOfCalm
	rise := max(f.rise(clientOpen), f.rise(serverOpen))
	silent := func(s *series.Sample) int { return s.Client.Activity.Received.AtLeast(10 * time.Second) }
	switch c := f.conns(f.last()); {
	case rise >= few, f.active() && f.rise(silent) > 0, f.most(resent) > 0:
		needed = samplesOfRise
	case rise > 0 || (c != nil && c.Opened+c.Closed > 0):
		needed = samplesOfChange
	}
	left := time.Duration(max(0, needed-len(f.Samples))) * f.Interval
	switch {
	case left > 0:
		return Low, left
	case rise >= few && f.quiet():
		return Low, 0 // whether they are used again, or given back, was not seen
	case f.life(f.span()) >= lastingGrowth && rise < few:
		return High, 0
	}
	return Medium, 0
}

// rise is by how much more a figure is at the end than it was at first.
func (f *facts) rise(of figure) int { return of(f.last()) - of(&f.Samples[0]) }

// notSeen says what could hide a fault and was not seen.
func (f *facts) notSeen() string {
	missing := []string{"what waits in a pool's queue", "streams inside a connection"}
	if !f.active() {
		missing = append(missing, "what connections carry")
	}
	if f.conns(f.last()) == nil {
		missing = append(missing, "connections and attempts to connect between two samples")
	}
	if p := f.last().Process; p == nil || p.Kinds == nil {
		missing = append(missing, "descriptors of other kinds")
	}
	return strings.Join(missing, ", ")
}

// withdrawn is when the client's connections looked most like a fault, if half of
// them were closed since; 0 if they never did.
func (f *facts) withdrawn() time.Duration {
	most, at := 0, 0
	for i := range f.Samples {
		if n := clientOpen(&f.Samples[i]); n > most {
			most, at = n, i
		}
	}
	if at < series.Least || clientOpen(f.last())*2 > most {
		return 0
	}
	before := *f.subject
	before.Samples, before.Final = f.Samples[:at+1], nil
	if rule, _ := gather(&before, Conditions{Speed: f.Speed}).judge(); rule.Severity == "" {
		return 0
	}
	return f.At[at]
}

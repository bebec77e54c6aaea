// Package verdict says what a series of samples of a process's sockets shows:
// healthy, or a named kind of leak, with evidence, how sure that is, what it
// comes to, and how to fix it.
//
// It is a pure function: the same series gives the same verdict, and a longer
// one may take it back. It knows neither who took the samples nor of whom.
// docs/verdict.md says how each kind is recognised, and its limits.
package verdict

import (
	"fmt"
	"math"
	"time"
)

// Confidence is how sure a verdict is.
type Confidence string

const (
	// Low: it fits, and something ordinary may fit as well.
	Low Confidence = "low"
	// Medium: it is a leak, and its kind may be one of the Alternatives.
	Medium Confidence = "medium"
	// High: nothing else that is known looks like it.
	High Confidence = "high"
)

// Verdict is what a series shows.
type Verdict struct {
	// Leak says that something is to be fixed.
	Leak       bool       `json:"leak"`
	Kind       Kind       `json:"kind"`
	Confidence Confidence `json:"confidence,omitempty"`
	// GrowthPerSecond is the trend of the open connections at the end that has
	// more growth while the subject was at work: the median slope of all pairs
	// of samples (Theil and Sen), in connections a second.
	GrowthPerSecond float64 `json:"growth_per_second"`
	// Evidence is one or two sentences with the numbers.
	Evidence []string `json:"evidence"`
	// Alternatives are what would look the same.
	Alternatives []Alternative `json:"alternatives,omitempty"`
	// Forecast says when something runs out; "" if nothing will.
	Forecast string `json:"forecast,omitempty"`
	// Fix is how to fix it, and Scenario where it is taught; "" where there is
	// nothing to fix, or no lesson.
	Fix      string `json:"fix"`
	Scenario string `json:"scenario,omitempty"`
}

// Alternative is another kind that would look the same.
type Alternative struct {
	Kind Kind `json:"kind"`
	// RecognisedBy says what to look at to tell the two apart: "what happens when
	// …", "whether …".
	RecognisedBy string `json:"recognised_by"`
}

// finding is what a rule found.
type finding struct {
	kind       Kind
	confidence Confidence
	evidence   []string
	otherwise  []Alternative
}

// rule looks for one kind and returns nil if the facts do not show it.
type rule func(*facts) *finding

// rules are in the order in which they are tried: what is recognised by one sure sign
// first, what is recognised by growth alone last.
var rules = []rule{
	answersCutOff,
	retryStorm,
	pinnedToOne,
	queueOverflow,
	stuckDialing,
	closedByPeerOnly,
	bodiesNotRead,
	poolExhausted,
	requestsHang,
	givenUpTooSoon,
	deadConnectionsUsed,
	idleNotReused,
	thrownAway,
	idleKept,
	serverHoldsDead,
	serverHoldsIdle,
	pileUp,
	portsLow,
	descriptorsLow,
}

// Diagnose says what a series shows.
func Diagnose(s Series) Verdict {
	if len(s.Samples) == 0 {
		return Verdict{Kind: NotEnoughData, Evidence: []string{"There is no sample."}}
	}
	f := gather(s)
	v := Verdict{GrowthPerSecond: f.growth()}
	found := f.find()
	switch {
	case found != nil:
		about, _ := Explain(found.kind)
		v.Leak, v.Kind, v.Confidence = true, found.kind, found.confidence
		v.Evidence, v.Alternatives = found.evidence, found.otherwise
		v.Fix, v.Scenario = about.Fix, about.Scenario
		v.Forecast = f.forecast()
	case !f.enough():
		v.Kind, v.Evidence = NotEnoughData, f.tooEarly()
	default:
		v.Kind, v.Confidence, v.Evidence = Healthy, f.wellKnown(), f.wellness()
	}
	if s.Stopped != "" {
		v.Evidence = append(v.Evidence, "The load was stopped: the process "+s.Stopped+".")
	}
	return v
}

// Grows reports whether the open connections of a series grow at either end all
// the time, and by how many a second. Whether they are used does not matter to
// it.
func Grows(s Series) (perSecond float64, grows bool) {
	if len(s.Samples) == 0 {
		return 0, false
	}
	f := gather(s)
	for _, open := range []func(*Sample) int{clientOpen, serverOpen} {
		if t := f.trendOf(open); t.grows {
			perSecond, grows = math.Max(perSecond, t.perSecond), true
		}
	}
	return perSecond, grows
}

func (f *facts) find() *finding {
	for _, r := range rules {
		if found := r(f); found != nil {
			return found
		}
	}
	if f.Stopped != "" {
		return &finding{kind: FDExhaustion, confidence: High}
	}
	return nil
}

// enough reports whether what was seen is enough to call it healthy.
func (f *facts) enough() bool {
	if r := f.last().Requests; r != nil && f.Ended && r.Reused > 0 && 2*r.Reused >= r.answered() {
		return true // connections were used again, however short the run
	}
	return len(f.Samples) >= Least && !f.starting()
}

// starting reports whether connections still grow, or requests still wait, in a
// way that may be a start or a leak.
func (f *facts) starting() bool {
	switch r := f.last().Requests; {
	case r != nil:
		// Before the first round of answers is in, nothing could be reused.
		return r.Sent == 0 || r.answered() < f.most(func(s *Sample) int { return s.Requests.InFlight })
	case f.Ended || !f.used():
		return false
	}
	waits := func(s *Sample) int { return unanswered(s, f.silent) }
	if waits(f.last()) >= handful && f.trendOf(waits).grows {
		return true
	}
	// What grows has not had the time to be idle, or is just becoming it.
	grows := f.trendOf(clientOpen).grows || f.trendOf(serverOpen).grows
	quiet := f.idle(f.last()) + waits(f.last()) + f.held(f.last()) + f.last().Server.Activity.Received.AtLeast(f.silent)
	return grows && (f.span() < 5*f.silent || quiet >= handful)
}

func (f *facts) tooEarly() []string {
	if f.clientCounted() && f.last().Requests.Sent == 0 {
		return []string{"No request was sent."}
	}
	if len(f.Samples) < Least {
		text := fmt.Sprintf("%s of at least %d.", plural(len(f.Samples), "sample"), Least)
		if f.restarted {
			text = "Restarted: " + text
		}
		return []string{text}
	}
	if waiting := max(f.pending(), unanswered(f.last(), f.silent)); waiting >= handful {
		return []string{fmt.Sprintf("%s for an answer; watch for longer than a slow answer takes.", plural(waiting, "request waits", "requests wait"))}
	}
	return []string{"Connections grow; whether they are used again does not show yet."}
}

// pending is the number of requests under way by the client metrics.
func (f *facts) pending() int {
	if !f.clientCounted() {
		return 0
	}
	return f.last().Requests.InFlight
}

// growth is the trend of the open connections, rounded.
func (f *facts) growth() float64 {
	skip := len(f.busy) / 3 // a load begins with a ramp, whatever the client
	most := math.Max(f.slopeFrom(skip, clientOpen), f.slopeFrom(skip, serverOpen))
	return math.Round(most*100) / 100
}

// wellKnown is low where there were connections of which nobody knows whose they
// were.
func (f *facts) wellKnown() Confidence {
	if f.last().Unknown >= 2*settled {
		return Low
	}
	return High
}

// wellness says what a healthy subject did, and what would not have been seen.
func (f *facts) wellness() []string {
	var said []string
	if f.clientCounted() {
		said = append(said, f.work())
	}
	if f.wellKnown() == Low {
		said = append(said, fmt.Sprintf("%s came and went that may have been this process's: without privilege the kernel does not say; look by port, or as root.",
			plural(f.last().Unknown, "connection")))
	}
	open := clientOpen
	if f.most(serverOpen) > f.most(clientOpen) {
		open = serverOpen
	}
	most, now := f.most(open), open(f.last())
	if most == 0 && !f.clientCounted() {
		return append(said, "No connection was seen.")
	}
	said = append(said, fmt.Sprintf("%s open at most, and %d at the end.", plural(most, "connection was", "connections were"), now))
	if back := f.healed(); back != "" {
		said = append(said, back)
	}
	if f.clientCounted() {
		return said
	}
	if n := f.lasting(2, clientIn(closeWait)) + f.lasting(2, serverIn(closeWait)); n > 0 {
		said = append(said, fmt.Sprintf("%s been closed by the other end only, which a pool that looks before it reuses leaves too.", plural(n, "connection has", "connections have")))
	}
	return append(said, fmt.Sprintf("A leak slower than %s would not have shown in %s.", rate(handful/f.span().Seconds()), f.span().Round(time.Second)))
}

// healed says that what looked like a leak was given back; "" if nothing did.
func (f *facts) healed() string {
	most, at := 0, 0
	for i := range f.Samples {
		if n := clientOpen(&f.Samples[i]); n > most {
			most, at = n, i
		}
	}
	if at < Least || clientOpen(f.last())*2 > most {
		return ""
	}
	before := f.Series
	before.Samples, before.Ended = f.Samples[:at+1], false
	if gather(before).find() == nil {
		return ""
	}
	return fmt.Sprintf("After %s it looked like a leak; then the connections were given back.", short(f.at[at]))
}

// work says what the client did by its own counters.
func (f *facts) work() string {
	r := f.last().Requests
	text := plural(r.Sent, "request")
	if flow := f.last().Flow; flow != nil {
		text += fmt.Sprintf(" opened %s, and %d of them reused one", plural(flow.Opened, "connection"), r.Reused)
	}
	if r.Failed > 0 {
		text += fmt.Sprintf("; %d failed", r.Failed)
	}
	return text + "."
}

// Package verdict says what the samples of a subject show: healthy, or a named
// fault, with the facts, how sure that is, what runs out next, and the fix.
//
// Each kind is a unit: one [Rule] in a file of its own, and its test. [Judge]
// tries the rules in the order of their ranks. It is a pure function: the same
// samples give the same verdict, and more samples may withdraw it. A verdict is
// data; [Sentences] writes it in words. docs/verdict.md lists the kinds and their
// limits.
package verdict

import (
	"cmp"
	"strings"

	"socketlab/internal/fixes"
	"socketlab/internal/series"
)

// Severity says what a verdict means for whoever runs the subject; "" of a kind
// that is no fault.
type Severity string

// The severities.
const (
	// Leak: something grows and is not given back.
	Leak Severity = "leak"
	// Fault: something is wrong that does not grow.
	Fault Severity = "fault"
	// Note: it has a price, and may be meant.
	Note Severity = "note"
)

// Confidence is how sure a verdict is; "" where nothing is claimed, and in the faces
// of a run that goes on.
type Confidence string

// The confidences.
const (
	// Low: it fits, and something ordinary may fit as well.
	Low Confidence = "low"
	// Medium: it is a fault, and its kind may be one of the alternatives.
	Medium Confidence = "medium"
	// High: nothing else that is known looks like it.
	High Confidence = "high"
)

// Verdict is what the samples of a subject show.
type Verdict struct {
	Kind Kind `json:"kind"`
	// Severity is what it means for whoever runs the subject; absent of a kind that is
	// no fault.
	Severity   Severity   `json:"severity,omitempty"`
	Confidence Confidence `json:"confidence,omitempty"`
	// Growth is how the open sockets change, in sockets per second; 0 where the
	// change may be chance.
	Growth series.Growth `json:"growth_per_second"`
	// Facts are what the kind was recognised by, the most important first. There is
	// at least one.
	Facts []Fact `json:"facts"`
	// Alternatives are other kinds that would look the same.
	Alternatives []Alternative `json:"alternatives,omitempty"`
	// Suspects are the kinds that it may become, the likeliest first, and LeftMS how
	// many milliseconds more must be observed until that is settled; absent of a
	// verdict that more samples will hardly change.
	Suspects []Kind `json:"suspects,omitempty"`
	LeftMS   int64  `json:"left_ms,omitempty"`
	// Forecast says what runs out next; absent if nothing does that is known.
	Forecast *Forecast `json:"forecast,omitempty"`
	// Fix says what to change, in the words of the subject's program where that is
	// known, and Scenario names the lesson; absent of a kind that
	// is no fault, and Scenario where there is no lesson.
	Fix      string `json:"fix,omitempty"`
	Scenario string `json:"scenario,omitempty"`
}

// IsFault reports whether something has to be fixed: a fault or a leak.
func (v Verdict) IsFault() bool { return v.Severity == Fault || v.Severity == Leak }

// Alternative is another kind that would look the same.
type Alternative struct {
	Kind Kind `json:"kind"`
	// Test says what to look at to tell the two apart.
	Test string `json:"test"`
}

// Conditions are what a verdict needs to know beside the samples. The zero
// Conditions are those of a process that is still observed.
type Conditions struct {
	// Speed is how many times faster than in life everything goes; 0 is 1.
	Speed float64
	// Over says that the subject was observed to its end, so that what is in flight
	// will stay so.
	Over bool
	// Ended says that its process ended while it was observed: what it would have given
	// back stays unknown. It is Over, too.
	Ended bool
}

// Judge says what a subject's samples show. It changes nothing.
func Judge(s *series.Subject, c Conditions) Verdict {
	c.Ended = c.Ended || s.EndedAfter > 0
	c.Over = c.Over || c.Ended
	f := gather(s, c)
	if len(f.Samples) == 0 {
		name := "no_sample"
		if len(s.Samples) > 0 {
			name = "ended_early"
		}
		return Verdict{Kind: NotEnoughData, Facts: []Fact{fact(name)}}
	}
	rule, found := f.judge()
	v := Verdict{
		Kind: rule.Kind, Severity: cmp.Or(found.severity, rule.Severity), Confidence: found.confidence, Growth: f.Growth(),
		Facts: found.facts, Alternatives: found.alternatives, Suspects: found.suspects, Scenario: rule.Scenario,
		Fix: strings.TrimSpace(cmp.Or(found.fix, fixes.For(string(rule.Kind), &s.Identity, found.descriptor), rule.Fix) + " " + fixes.IdleClose(string(rule.Kind), &s.Identity)),
	}
	if !c.Over {
		v.LeftMS = found.left.Milliseconds()
	}
	if f.lives != nil { // nothing gets as old as it would have to
		v.LeftMS, v.Suspects = 0, nil
		v.Facts = append(v.Facts, f.lives.fact())
	} else if v.Severity != "" {
		v.Forecast = f.forecast()
	}
	if v.Severity != "" {
		v.Facts = append(v.Facts, f.heldAt()...)
	}
	if s.EndedAfter > 0 {
		v.Facts = append(v.Facts, fact("ended", millis("after_ms", s.EndedAfter)))
	}
	if reason := f.stopped(); reason != "" {
		v.Facts = append(v.Facts, fact("stopped", text("reason", reason)))
	}
	return v
}

// judge returns the first rule that fits, and what it found. A note waits until no
// leak and no fault is found, or may still show. The last rule, that of [Healthy],
// always fits.
func (f *facts) judge() (*Rule, *finding) {
	var noteRule *Rule
	var note *finding
	for i := range rules {
		r := &rules[i]
		found := r.apply(f)
		switch {
		case found == nil:
		case cmp.Or(found.severity, r.Severity) == Note:
			if note == nil {
				noteRule, note = r, found
			}
		case note != nil && (r.Kind == Healthy || found.yields || (r.Kind == NotEnoughData && f.counted())):
			return noteRule, note
		default:
			return r, found
		}
	}
	panic("verdict: no rule fits")
}

// Compare orders verdicts by how much they matter: leaks first, then faults, then
// notes, then what is not known, and what is healthy last; of the same severity the
// surer one first, of what is healthy the less sure one. It is negative if a matters more than b.
func Compare(a, b Verdict) int { return weight(a) - weight(b) }

func weight(v Verdict) int {
	confidence := map[Confidence]int{High: 0, Medium: 1, Low: 2}[v.Confidence]
	switch v.Severity {
	case Leak:
		return confidence
	case Fault:
		return 10 + confidence
	case Note:
		return 20 + confidence
	}
	switch v.Kind {
	case Healthy: // what is less sure matters more
		return 42 - confidence
	case Growing:
		return 30
	}
	return 31
}

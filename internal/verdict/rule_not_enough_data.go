package verdict

import "socketlab/internal/series"

const NotEnoughData Kind = "not-enough-data"

var _ = register(Rule{
	Kind:       NotEnoughData,
	Rank:       rankNone, // a fault that shows already is reported at once
	Title:      "too early to say",
	Means:      "There are too few samples, or what they show may still be the beginning of something ordinary: a start-up, a slow response.",
	Recognised: "Fewer than eight samples, or fewer than eight since the last restart; every request failed because this machine has no way to the destination; requests are in flight and the first of them have no response yet.",
	Sentences: map[string]string{
		"ended_early": "The program ended before a sample showed it at work.",
		"no_sample":   "There is no sample.",
		"no_request":  "No request was sent.",
		"unreached":   "No request got through, and no connection was opened: {errors}.",
		"restarted":   "The process was restarted.",
		"samples":     "{samples|sample} of at least {needed}.",
		"waiting":     "{requests|request waits|requests wait} for a response. Observe for longer than a slow response takes.",
	},
	recognise: notEnoughData{},
})

type notEnoughData struct{}

func (notEnoughData) find(f *facts) *finding {
	if f.enough() {
		return nil
	}
	last := f.last()
	switch n := max(f.pending(), unanswered(last, f.silent)); {
	case f.counted() && last.Requests.Sent == 0:
		return &finding{facts: []Fact{fact("no_request")}}
	case f.subject.Unreached():
		return &finding{facts: []Fact{fact("unreached", text("errors", last.Requests.ErrorList()))}}
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
	return len(f.Samples) >= series.Least && !f.subject.Unreached() && !f.starting()
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
	waits := func(s *series.Sample) int { return unanswered(s, f.silent) }
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

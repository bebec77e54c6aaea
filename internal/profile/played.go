package profile

import "math"

// Played is what two programs showed, beside what their profiles predict.
type Played struct {
	// OwnClient and OwnServer say that the lab's own took the place of the program; Why
	// says why.
	OwnClient, OwnServer bool
	Why                  []string
	// Trials are the pauses that were tried, of each method, and First is the end that
	// was seen closing first.
	Trials int
	First  Closer
	Get    PlayedMethod
	Post   PlayedMethod
}

// PlayedMethod is what the requests of a method showed.
type PlayedMethod struct {
	// Met are the trials whose request met a closing connection, and MetFailed those of
	// them whose caller got an error; so for requests that came Later.
	Met, MetFailed, Later, LaterFailed int
	// OtherFailed are trials that failed though neither is so.
	OtherFailed int
	// Meets and Errors are the shares of requests of the traffic: each trial stands for
	// the pauses about its own.
	Meets, Errors float64
}

// WithinFactor is how far a rate that was predicted may be from the measured one.
const WithinFactor = 1.5

// Disagreements says what was predicted wrong; nil if all was right.
func (m *Match) Disagreements(p *Played) []string {
	var wrong []string
	if m.First != Either && p.First != Either && m.First != p.First {
		wrong = append(wrong, "closes first: predicted "+string(m.First)+", seen "+string(p.First))
	}
	for _, method := range []struct {
		name      string
		predicted Outcome
		played    PlayedMethod
	}{{"GET", m.Get, p.Get}, {"POST", m.Post, p.Post}} {
		if method.played.OtherFailed > 0 {
			wrong = append(wrong, method.name+": requests failed that were to be answered")
		}
		if !near(m.Meets, method.played.Meets) {
			wrong = append(wrong, method.name+": the rate of requests that meet a closing connection")
		}
		if answered, known := Answered(method.predicted.Meeting); known && method.played.Met > 0 && answered != (method.played.MetFailed*2 < method.played.Met) {
			wrong = append(wrong, method.name+": what its caller sees")
		}
		if !math.IsNaN(method.predicted.Errors) && !near(method.predicted.Errors, method.played.Errors) {
			wrong = append(wrong, method.name+": the rate of errors")
		}
	}
	return wrong
}

// near reports whether two shares are within the factor; nothing is near to nothing only.
func near(a, b float64) bool {
	const none = 1e-9
	if a < none || b < none {
		return a < none && b < none
	}
	return a/b <= WithinFactor && b/a <= WithinFactor
}

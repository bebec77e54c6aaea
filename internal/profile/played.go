package profile

import (
	"math"
	"slices"
	"time"
)

// Trial is one try of a play: an answered request, a pause, and a request.
type Trial struct {
	// Pause is the time from the answer until the next request, as it was at the client's
	// socket, Planned what it was to be, and ServerIdle that from the answer until the server's close at the server's; 0 is that
	// it did not close first.
	Pause, Planned, ServerIdle time.Duration
	// Met says that the request met a closing connection, Failed that its caller got an
	// error, and First which end closed first.
	Met, Failed bool
	First       Closer
}

// Played is what two programs showed, beside what their profiles predict.
type Played struct {
	// OwnClient and OwnServer say that the lab's own took the place of the program; Why
	// says why.
	OwnClient, OwnServer bool
	Why                  []string
	// Interrupted says that it was ended before its time: its trials decide nothing.
	Interrupted bool
	// From and To are the shortest and the longest pause that were tried, and First is the
	// end that was seen closing first.
	From, To time.Duration
	First    Closer
	// Lateness is how much longer than planned nine of ten pauses were at most: on a busy
	// machine it is long.
	Lateness time.Duration
	// ServerFirst and ServerLast are the shortest and the longest time after which the server was seen
	// closing; 0 is not at all.
	ServerFirst, ServerLast time.Duration
	// Meets is the share of requests of the traffic that meet a closing connection: each trial
	// stands for the pauses about its own. It is of both methods, which share their
	// connections' fate.
	Meets     Share
	Get, Post PlayedMethod
}

// PlayedMethod is what the requests of a method showed.
type PlayedMethod struct {
	Trials []Trial
	// Met are the trials whose request met a closing connection, and MetFailed those of
	// them whose caller got an error; so for requests that came Later.
	Met, MetFailed, Later, LaterFailed int
	// OtherFailed are trials that failed though neither is so.
	OtherFailed int
	// Errors is the share of requests of the traffic that fail.
	Errors Share
}

// Share is a share of requests that was measured, with the interval in which it is at 95 %.
type Share struct{ Value, Low, High float64 }

// share is the share of requests of the traffic that meet a closing connection, from trials
// whose pauses are evenly spread from from to to.
func share(trials []Trial, traffic Traffic, from, to time.Duration) Share {
	if len(trials) == 0 {
		return Share{}
	}
	perSecond := traffic.PerSecond / float64(max(1, traffic.Connections))
	step := (to - from).Seconds() / float64(len(trials))
	sorted := slices.SortedFunc(slices.Values(trials), func(a, b Trial) int { return int(a.Pause - b.Pause) })
	var s Share
	before, variance := 0.0, 0.0
	for _, t := range sorted {
		weight := 0.0
		if t.Met {
			weight = step * perSecond * math.Exp(-perSecond*t.Pause.Seconds())
		}
		s.Value += weight
		// Neighbours have nearly the same chance: what they differ by is chance alone.
		variance += (weight - before) * (weight - before) / 2
		before = weight
	}
	variance += before * before / 2
	half := 1.96 * math.Sqrt(variance)
	s.Low, s.High = max(0, s.Value-half), s.Value+half
	return s
}

// preciseEnough is how wide half of the interval of a share may be, as a part of the share.
const preciseEnough = 0.2

// Precise reports whether the trials so far give the rate of requests that meet a closing
// connection well enough.
func (p *Played) Precise(traffic Traffic) bool {
	s := p.meets(traffic)
	return s.Value > 0 && s.High-s.Value <= preciseEnough*s.Value
}

func (p *Played) meets(traffic Traffic) Share {
	return share(slices.Concat(p.Get.Trials, p.Post.Trials), traffic, p.From, p.To)
}

// withAnswer is how soon behind its answer a server closes that does not keep the connection,
// also on a busy machine.
const withAnswer = 200 * time.Millisecond

// Sum sums the trials up.
func (p *Played) Sum(m *Match) {
	firsts := map[Closer]int{}
	var late []time.Duration
	for _, method := range []*PlayedMethod{&p.Get, &p.Post} {
		method.tell(m)
		for _, t := range method.Trials {
			late = append(late, t.Pause-t.Planned)
			soonest := m.First == ServerCloses && m.ServerFirst.Time <= withAnswer || m.First == EachAnswer
			if t.First == ServerCloses && t.ServerIdle < withAnswer && !soonest {
				continue // the connection was not kept: AnyEvent asks so with each POST
			}
			firsts[t.First]++
			if t.ServerIdle > 0 && (p.ServerFirst == 0 || t.ServerIdle < p.ServerFirst) {
				p.ServerFirst = t.ServerIdle
			}
			p.ServerLast = max(p.ServerLast, t.ServerIdle)
		}
	}
	if slices.Sort(late); len(late) > 0 {
		p.Lateness = late[len(late)*9/10]
	}
	p.Meets = p.meets(m.Traffic)
	for _, method := range []*PlayedMethod{&p.Get, &p.Post} {
		failing := float64(method.MetFailed) / float64(max(1, method.Met))
		later := m.Late * float64(method.LaterFailed) / float64(max(1, method.Later))
		method.Errors = Share{p.Meets.Value*failing + later, p.Meets.Low*failing + later, p.Meets.High*failing + later}
	}
	p.First = Neither
	switch client, server := firsts[ClientCloses], firsts[ServerCloses]; {
	case client > server:
		p.First = ClientCloses
	case server > 0 && m.First == EachAnswer:
		p.First = EachAnswer
	case server > 0:
		p.First = ServerCloses
	}
}

// tell counts which trials met the close, and which came later.
func (method *PlayedMethod) tell(m *Match) {
	isLater := func(t Trial) bool { return !t.Met && t.First == ServerCloses && m.First != EachAnswer }
	var later []Trial
	for _, t := range method.Trials {
		if isLater(t) {
			later = append(later, t)
		}
	}
	// Does a client fail whenever it comes later? One that reads of a close needs a while for
	// that on a busy machine: what fails in this while met the close.
	slices.SortFunc(later, func(a, b Trial) int { return int(a.Pause - a.ServerIdle - b.Pause + b.ServerIdle) })
	latest, failed := later[len(later)*2/3:], 0
	for _, t := range latest {
		if t.Failed {
			failed++
		}
	}
	fails := failed*2 > len(latest)
	for i := range method.Trials {
		t := &method.Trials[i]
		t.Met = t.Met || isLater(*t) && t.Failed && !fails
		into := &method.OtherFailed
		switch {
		case t.Met:
			method.Met++
			into = &method.MetFailed
		case isLater(*t):
			method.Later++
			into = &method.LaterFailed
		}
		if t.Failed {
			*into++
		}
	}
}

// WithinFactor is how far a rate that was predicted may be from the measured one.
const WithinFactor = 1.5

// Busy reports whether the machine was too busy for the times that were played.
func (m *Match) Busy(p *Played) bool { return p.Lateness > m.Traffic.RTT }

// Disagreements says what was predicted wrong; nil if all was right. Undecided are times and
// rates that may be right: the measurement is too coarse for them, or the machine was busy.
func (m *Match) Disagreements(p *Played) (wrong, undecided []string) {
	if p.Interrupted {
		return nil, []string{"it was interrupted"}
	}
	timing := &wrong
	if m.Busy(p) {
		timing = &undecided
	}
	if m.First != Either && m.First != p.First {
		*timing = append(*timing, "closes first: predicted "+string(m.First)+", seen "+string(p.First))
	}
	rate := func(what string, predicted float64, seen Share) {
		switch {
		case near(predicted, seen.Value):
		case predicted*WithinFactor >= seen.Low && predicted <= seen.High*WithinFactor:
			undecided = append(undecided, what)
		default:
			*timing = append(*timing, what)
		}
	}
	rate("the rate of requests that meet a closing connection", m.Meets, p.Meets)
	for _, method := range []struct {
		name      string
		predicted Outcome
		played    PlayedMethod
	}{{"GET", m.Get, p.Get}, {"POST", m.Post, p.Post}} {
		if method.played.OtherFailed > 0 {
			wrong = append(wrong, method.name+": requests failed that were to be answered")
		}
		if answered, known := Answered(method.predicted.Meeting); known && method.played.Met > 0 && answered != (method.played.MetFailed*2 < method.played.Met) {
			wrong = append(wrong, method.name+": what its caller sees")
		}
		if !math.IsNaN(method.predicted.Errors) {
			rate(method.name+": the rate of errors", method.predicted.Errors, method.played.Errors)
		}
	}
	return wrong, undecided
}

// near reports whether two shares are within the factor; nothing is near to nothing only.
func near(a, b float64) bool {
	const none = 1e-9
	if a < none || b < none {
		return a < none && b < none
	}
	return a/b <= WithinFactor && b/a <= WithinFactor
}

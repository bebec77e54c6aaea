package scenario

import (
	"math/rand/v2"
	"time"
)

// Arrivals returns when each request of the load is due, as offsets from the
// load's start, in order. The same script and seed always give the same
// schedule, so that both sides of a run, and anyone who repeats it, get the
// same work.
func (s Script) Arrivals(seed uint64) []time.Duration {
	random := rand.New(rand.NewPCG(seed, 0))
	due := make([]time.Duration, 0, s.requests())
	var start time.Duration
	for _, p := range s.Load {
		for i := range p.moments() {
			at := start + time.Duration(float64(i)*p.spacing())
			for range p.atOnce(random) {
				due = append(due, at)
			}
		}
		start += p.length()
	}
	return due
}

// Length is how long the load takes, pauses included.
func (s Script) Length() time.Duration {
	var d time.Duration
	for _, p := range s.Load {
		d += p.length()
	}
	return d
}

// requests is the most requests that the load can send.
func (s Script) requests() int {
	n := 0
	for _, p := range s.Load {
		n += p.requests()
	}
	return n
}

// MainLoad is the phase that sends the most requests, the first of those that send as
// many; the zero Phase of a script without load.
func (s Script) MainLoad() (most Phase) {
	for _, p := range s.Load {
		if p.requests() > most.requests() {
			most = p
		}
	}
	return most
}

// Requests adds up all phases, each with its bursts and repeats. Where one of them adds
// requests at random (jitter_requests) there is no such number: then it is 0, and fixed false.
func (s Script) Requests() (n int, fixed bool) {
	for _, p := range s.Load {
		if p.JitterRequests > 0 {
			return 0, false
		}
		n += p.requests()
	}
	return n, true
}

// requests is the most that the phase can send.
func (p Phase) requests() int { return p.moments() * (1 + p.JitterRequests) * max(p.Burst, 1) }

// moments is how many times the phase sends something.
func (p Phase) moments() int {
	switch {
	case p.Rate > 0:
		// A tiny part more, so that 0.3 s at 10/s is 3 in spite of rounding,
		// and 10 s at 3/s are 30 at any speed: For is whole nanoseconds.
		return int(p.For.D().Seconds()*float64(p.Rate) + float64(p.Rate)*1e-9 + 1e-6)
	case p.Burst > 0:
		return max(p.Repeat, 1)
	default:
		return 0
	}
}

// spacing is the time between two moments, in nanoseconds.
func (p Phase) spacing() float64 {
	if p.Rate > 0 {
		return float64(time.Second) / float64(p.Rate)
	}
	return float64(p.Every)
}

func (p Phase) atOnce(random *rand.Rand) int {
	if p.Burst > 0 {
		return p.Burst
	}
	if p.JitterRequests > 0 {
		return 1 + random.IntN(p.JitterRequests+1)
	}
	return 1
}

func (p Phase) length() time.Duration {
	switch {
	case p.Rate > 0:
		return p.For.D()
	case p.Burst > 0:
		return time.Duration(max(p.Repeat, 1)) * p.Every.D()
	default:
		return p.Pause.D()
	}
}

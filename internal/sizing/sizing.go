// Package sizing is the arithmetic of a connection pool: how many connections a load
// needs, and what a pool of another size does to it.
package sizing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/words"
)

// Load is requests that each keep one connection busy. Check it before anything else.
type Load struct {
	// PerSecond is the rate of requests, evenly spaced.
	PerSecond float64
	// Latency is the time for which one keeps its connection busy.
	Latency time.Duration
	// Burst is a number of requests that come at one moment on top; 0 is none.
	Burst int
	// Spare is added to the connections that are needed: 0.2 is a fifth.
	Spare float64
}

// The limits of a load.
const (
	minPerSecond   = 1.0 / 3600
	maxPerSecond   = 1e6
	maxLatency     = time.Hour
	maxBurst       = 10_000
	maxSpare       = 10
	maxConnections = 100_000
)

// Check says what is wrong with a load, or returns nil.
func (l Load) Check() error {
	switch {
	case !(l.PerSecond >= minPerSecond && l.PerSecond <= maxPerSecond): // also refuses NaN
		return fmt.Errorf("rate %.4g/s is not between 1/h and %s/s", l.PerSecond, words.Count(int(maxPerSecond)))
	case l.Latency <= 0 || l.Latency > maxLatency:
		return fmt.Errorf("latency %s is not above 0 and at most %s", l.Latency, maxLatency)
	case l.Burst < 0 || l.Burst > maxBurst:
		return fmt.Errorf("burst %d is not between 0 and %d", l.Burst, maxBurst)
	case !(l.Spare >= 0 && l.Spare <= maxSpare):
		return fmt.Errorf("spare %g%% is not between 0%% and %d%%", l.Spare*100, maxSpare*100)
	case l.needed() > maxConnections:
		return fmt.Errorf("this load needs %.0f connections: one client address has 65,535 ports to a server, so divide the load first", math.Ceil(l.needed()))
	}
	return nil
}

// UnderWay returns the mean number of requests under way (Little's law).
func (l Load) UnderWay() float64 { return l.PerSecond * l.Latency.Seconds() }

func (l Load) needed() float64 { return (l.UnderWay() + float64(l.Burst)) * (1 + l.Spare) }

// Connections returns the number of connections that the load needs.
func (l Load) Connections() int { return max(1, int(math.Ceil(l.needed()-1e-9))) }

// PerSecondOf returns the highest rate that a pool of so many connections can serve.
func (l Load) PerSecondOf(connections int) float64 { return float64(connections) / l.Latency.Seconds() }

// Pool is a size to compare.
type Pool struct {
	Name        string
	Connections int
}

// Pools are three sizes: half of what is under way, what the load needs, and four times
// that. The first is left out where one connection is enough.
func (l Load) Pools() []Pool {
	var pools []Pool
	if small := int(l.UnderWay() / 2); small >= 1 {
		pools = append(pools, Pool{"too small", small})
	}
	return append(pools, Pool{"right", l.Connections()}, Pool{"too large", 4 * l.Connections()})
}

// The times of [Load.Phases]: the load, and after it time for what is under way.
const (
	loadTime  = 4 * time.Second
	afterTime = time.Second
	// A slow load takes as long as so many requests, and a fast one has at most so many.
	leastRequests = 20
	mostRequests  = 1_000_000
)

// Phases are a load to predict or to play: some seconds of the rate, with the burst in
// the middle, and a pause.
func (l Load) Phases() []scenario.Phase {
	seconds := max(loadTime.Seconds(), 4*l.Latency.Seconds(), leastRequests/l.PerSecond)
	half := scenario.Duration(min(seconds, mostRequests/l.PerSecond) / 2 * float64(time.Second))
	rate := scenario.Phase{Rate: scenario.Rate(l.PerSecond), For: half}
	phases := []scenario.Phase{rate}
	if l.Burst > 0 {
		phases = append(phases, scenario.Phase{Burst: l.Burst})
	}
	return append(phases, rate, scenario.Phase{Pause: scenario.Duration(max(afterTime, 2*l.Latency))})
}

// Result is the outcome of a load with a pool, predicted or measured.
type Result struct {
	// P50MS and P99MS are of the requests that were answered, from the moment that each
	// was due. Both are 0 where there is none.
	P50MS, P99MS float64
	// Sockets counts the connections that were opened, and Answered the requests that
	// had their answer.
	Sockets, Answered int
	// InFlight counts the requests without an answer at the end.
	InFlight int
}

// Predict computes what happens to requests that are due at these times, in order,
// with a pool of connections, until end. A request that finds no connection free waits for one, and the
// first that waits is the first served. Each takes exactly latency.
func Predict(due []time.Duration, connections int, latency, end time.Duration) Result {
	r := Result{}
	var waits []time.Duration
	ends := make([]time.Duration, len(due)) // in order, because all take the same time
	free := 0                               // how many have ended when the next begins
	for i, at := range due {
		start := at
		if i >= connections {
			start = max(at, ends[i-connections])
		}
		ends[i] = start + latency
		for ends[free] <= start {
			free++
		}
		r.Sockets = max(r.Sockets, i+1-free)
		if ends[i] <= end {
			waits = append(waits, ends[i]-at)
		} else {
			r.InFlight++
		}
	}
	r.Answered = len(waits)
	slices.Sort(waits)
	quantile := func(q float64) float64 {
		if len(waits) == 0 {
			return 0
		}
		return float64(waits[int(math.Ceil(q*float64(len(waits))))-1]) / float64(time.Millisecond)
	}
	r.P50MS, r.P99MS = quantile(0.5), quantile(0.99)
	return r
}

// Play says why a load cannot be played on one machine in a few seconds, or returns nil.
func (l Load) Play() error {
	const least, most, longest = 5, 2000, time.Second
	switch {
	case l.PerSecond < least || l.PerSecond > most:
		return fmt.Errorf("rate %g/s is not between %d/s and %d/s, which can be played here", l.PerSecond, least, most)
	case l.Latency > longest:
		return fmt.Errorf("latency %s is more than the %s that can be played here", l.Latency, longest)
	case l.Connections() > 1000:
		return fmt.Errorf("%d connections are more than the 1000 that can be played here", l.Connections())
	}
	return nil
}

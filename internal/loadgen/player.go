package loadgen

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// Player plays one load. Make it with Begin and call Play once.
type Player struct {
	caller   Caller
	arrivals []time.Duration
	maxFDs   int

	counters *counters
	usage    Usage
	start    time.Time
	looked   time.Time // at the descriptors, by Play
	stopped  atomic.Pointer[string]
	done     atomic.Bool
	bounds   *bounds // nil without any
}

// Keep holds the load to one server's address, and without one, the zero AddrPort, to this
// machine's loopback. names says that the code looks up names at a name server of the lab.
// It is called before Play. Once [Player.Refused] is closed, the
// caller must end this process.
func (p *Player) Keep(names bool, server netip.AddrPort) {
	p.bounds = &bounds{names: names, server: server, refused: make(chan struct{})}
	p.counters.bounds = p.bounds
}

// Refused is closed once the code would have left what it is held to; nil without [Player.Keep].
func (p *Player) Refused() <-chan struct{} {
	if p.bounds == nil {
		return nil
	}
	return p.bounds.refused
}

// Begin starts a load's clock now. The arrivals say when each request is due
// from here on, in order. The load is stopped when the process holds maxFDs
// descriptors, so that a leak cannot take all that the machine or the user
// has; 0 is no limit.
func Begin(c Caller, arrivals []time.Duration, maxFDs int) *Player {
	return &Player{caller: c, arrivals: arrivals, maxFDs: maxFDs, counters: newCounters(), start: time.Now()}
}

// Play sends every request when it is due and returns when the last was sent,
// the load was stopped, or ctx ended. It waits for no answer: requests that
// are still waiting go on, under ctx.
//
// The schedule is open loop: a slow answer delays no later request. Play
// sleeps to absolute moments, because the ticks of a time.Ticker are dropped
// when its reader is late, and the load with them.
func (p *Player) Play(ctx context.Context) {
	defer p.done.Store(true)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, offset := range p.arrivals {
		due := p.start.Add(offset)
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		}
		if ctx.Err() != nil {
			return
		}
		if p.reachedLimit() {
			return
		}
		// Counted here and not in the goroutine, which may begin after Play
		// has returned: done must mean that every request is counted.
		p.counters.sent.Add(1)
		go p.counters.call(ctx, p.caller, due)
	}
}

// lookEvery is the least time between two looks at the descriptors. A look
// costs some microseconds, too much for each of thousands of requests a second.
const lookEvery = 5 * time.Millisecond

// reachedLimit looks, from time to time, whether the process holds too many
// descriptors to go on, and says so in the reports.
func (p *Player) reachedLimit() bool {
	now := time.Now()
	if now.Sub(p.looked) < lookEvery {
		return false
	}
	p.looked = now
	fds := p.usage.fds()
	if p.maxFDs == 0 || fds < p.maxFDs {
		return false
	}
	why := fmt.Sprintf("holds %d descriptors, the most this run may take is %d", fds, p.maxFDs)
	p.stopped.Store(&why)
	return true
}

// Report returns what was done so far. It may be called at any time, also
// while Play runs.
func (p *Player) Report() Report {
	done := p.done.Load() // before the counters: a report that is done has all of them
	r := Report{ClientMetrics: p.counters.metrics(), At: time.Since(p.start), Done: done}
	r.Process = p.usage.Read()
	if c, ok := p.caller.(Reporter); ok {
		r.Values = c.Values()
	}
	if why := p.stopped.Load(); why != nil {
		r.Stopped = *why
	}
	select {
	case <-p.Refused():
		r.Refused = p.bounds.what
	default:
	}
	return r
}

package verdict

import (
	"math"
	"time"

	"socketlab/internal/series"
)

// What can run out.
const (
	Descriptors = "descriptors"
	Ports       = "ports"
)

// Forecast says what runs out first if the subject goes on like this.
type Forecast struct {
	// What is [Descriptors], or [Ports]: local ports to one destination.
	What  string `json:"what"`
	Limit int    `json:"limit"`
	// InMS is how many milliseconds it takes from the last sample to the limit; 0 if
	// it is reached, or never will be: see Steady.
	InMS int64 `json:"in_ms"`
	// Steady is how many ports are in TIME_WAIT at any time, where they come back
	// before the limit is reached.
	Steady int `json:"steady,omitempty"`
	// Speed is how many times faster than in life the run went whose rate this is; absent
	// where it is that of life.
	Speed float64 `json:"speed,omitempty"`
}

// timeWaitLength is how long Linux keeps a socket in TIME_WAIT (TCP_TIMEWAIT_LEN in
// include/net/tcp.h).
const timeWaitLength = 60 * time.Second

// forecast returns nil if nothing that is known runs out.
func (f *facts) forecast() *Forecast {
	found := f.runsOut()
	if found != nil && f.Speed != 1 {
		found.Speed = f.Speed
	}
	return found
}

// runsOut is what runs out first: of several limits the nearest.
func (f *facts) runsOut() *Forecast {
	held, ports := f.descriptorsRunOut(), f.portsRunOut()
	switch {
	case held == nil:
		return ports
	case ports == nil, ports.Steady > 0, held.InMS <= ports.InMS:
		return held
	default:
		return ports
	}
}

func (f *facts) descriptorsRunOut() *Forecast {
	held, limit := descriptors, f.subject.Limits.Descriptors
	if held(f.last()) == 0 { // they are not counted: each open socket holds one
		held = f.sockets
	}
	if limit == 0 || held(f.last()) == 0 {
		return nil
	}
	t := f.allAlong(held)
	if !t.Grows {
		t = f.trend(0, held) // as ports, while the subject was at work
	}
	if !t.Grows {
		return nil
	}
	perSecond := float64(f.Growth())                   // a descriptor for each socket: the rate that is shown
	if perSecond <= 0 || t.PerSecond > 1.5*perSecond { // more than one for each
		perSecond = t.PerSecond
	}
	return until(Descriptors, limit, held(f.last()), perSecond)
}

// sockets are those that the subject's process holds open.
func (f *facts) sockets(s *series.Sample) int {
	if f.subject.Paired { // the other end is the server's
		return clientOpen(s)
	}
	return clientOpen(s) + serverOpen(s)
}

func (f *facts) portsRunOut() *Forecast {
	limit := f.subject.Limits.Ports
	perSecond, grows := f.grows(maxPerDestination)
	if !grows || limit == 0 {
		return nil
	}
	open, leaks := f.grows(clientOpen)
	if !leaks {
		open = 0
	}
	// What does not stay open is in TIME_WAIT, and its port comes back. The two may go to two
	// destinations: then either alone takes longer than this says for both.
	steady := int(max(0, perSecond-open) * timeWaitLength.Seconds())
	switch {
	case steady >= limit:
		return until(Ports, limit, maxPerDestination(f.last()), perSecond)
	case !leaks:
		return &Forecast{What: Ports, Limit: limit, Steady: steady}
	}
	return until(Ports, limit, max(steady, maxPerDestination(f.last())), min(open, perSecond))
}

func until(what string, limit, now int, perSecond float64) *Forecast {
	const most = 1e15 // so that it fits, whatever the rate
	left := float64(max(0, limit-now))
	return &Forecast{What: what, Limit: limit, InMS: int64(math.Min(most, 1000*left/perSecond))}
}

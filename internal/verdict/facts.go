package verdict

import (
	"slices"
	"time"

	"socketlab/internal/socketstats"
)

// facts is a series made ready for the rules: of the subject as it is since its
// last start, on a clock that goes forward.
type facts struct {
	Series
	// restarted says that there were samples before.
	restarted bool
	// at is when each sample was taken.
	at []time.Duration
	// busy are the samples during which the subject was at work. An idle
	// subject's sockets stand still, and that says nothing.
	busy []int
	// silent is how long a connection says nothing before it is called idle.
	silent time.Duration
}

func gather(s Series) *facts {
	if s.Speed == 0 {
		s.Speed = 1
	}
	f := &facts{Series: s}
	f.Samples = sinceRestart(s.Samples)
	f.restarted = len(f.Samples) < len(s.Samples)
	f.Samples = completed(f.Samples)
	f.at = forward(f.Samples)
	f.silent = socketstats.ClassBound(2 * f.interval())
	for i := range f.Samples {
		if i == 0 || f.worked(i) {
			f.busy = append(f.busy, i)
		}
	}
	return f
}

func sinceRestart(samples []Sample) []Sample {
	for i := len(samples) - 1; i > 0; i-- {
		if samples[i].Epoch != samples[i-1].Epoch {
			return samples[i:]
		}
	}
	return samples
}

// completed fills in what a sample without sockets does not say: that they did
// nothing. Client metrics that are not there all the time are left out.
func completed(samples []Sample) []Sample {
	known := slices.ContainsFunc(samples, func(s Sample) bool { return s.Client.Activity != nil || s.Server.Activity != nil })
	booked := !slices.ContainsFunc(samples, func(s Sample) bool { return s.Requests == nil })
	samples = slices.Clone(samples)
	for i := range samples {
		for _, end := range []*End{&samples[i].Client, &samples[i].Server} {
			if known && end.Activity == nil {
				end.Activity = &socketstats.Activity{}
			}
		}
		if !booked {
			samples[i].Requests = nil
		}
	}
	return samples
}

// forward returns the samples' times, with the usual step in place of one that
// does not go forward.
func forward(samples []Sample) []time.Duration {
	var steps []float64
	for i := 1; i < len(samples); i++ {
		if d := samples[i].At - samples[i-1].At; d > 0 {
			steps = append(steps, float64(d))
		}
	}
	usual := time.Duration(median(steps))
	at := make([]time.Duration, len(samples))
	for i := 1; i < len(samples); i++ {
		d := samples[i].At - samples[i-1].At
		if d <= 0 {
			d = usual
		}
		at[i] = at[i-1] + d
	}
	return at
}

// worked reports whether the subject did anything between sample i and the one
// before.
func (f *facts) worked(i int) bool {
	now, before := &f.Samples[i], &f.Samples[i-1]
	switch {
	case now.Requests != nil && before.Requests != nil:
		return now.Requests.Sent > before.Requests.Sent
	case clientOpen(now) != clientOpen(before), serverOpen(now) != serverOpen(before):
		return true
	case now.Flow != nil && before.Flow != nil && now.Flow.Opened > before.Flow.Opened:
		return true
	case now.Client.Activity != nil && now.Server.Activity != nil:
		return talking(now.Client.Activity, f.interval()) || talking(now.Server.Activity, f.interval())
	default:
		return true
	}
}

// talking reports whether a connection has said something within a time.
func talking(u *socketstats.Activity, within time.Duration) bool {
	all := u.Fresh.Total() + u.Sent.Total() + u.Received.Total()
	return all > u.Fresh.AtLeast(within)+u.Sent.AtLeast(within)+u.Received.AtLeast(within)
}

// interval is the usual time between two samples.
func (f *facts) interval() time.Duration {
	var steps []float64
	for i := 1; i < len(f.at); i++ {
		steps = append(steps, float64(f.at[i]-f.at[i-1]))
	}
	return time.Duration(median(steps))
}

// life turns a time into that of the subject at its ordinary speed.
func (f *facts) life(d time.Duration) time.Duration { return time.Duration(float64(d) * f.Speed) }

// span is how long the subject was watched.
func (f *facts) span() time.Duration { return f.at[len(f.at)-1] - f.at[0] }

func (f *facts) last() *Sample { return &f.Samples[len(f.Samples)-1] }

// of returns a figure of every sample.
func (f *facts) of(figure func(*Sample) int) []float64 {
	values := make([]float64, len(f.Samples))
	for i := range f.Samples {
		values[i] = float64(figure(&f.Samples[i]))
	}
	return values
}

// trendOf is the trend of a figure while the subject was at work.
func (f *facts) trendOf(figure func(*Sample) int) trend { return f.trendFrom(0, figure) }

// trendFrom is that since the busy sample from.
func (f *facts) trendFrom(from int, figure func(*Sample) int) trend {
	return trendOf(f.busyOf(from, figure))
}

// slopeFrom is only its slope.
func (f *facts) slopeFrom(from int, figure func(*Sample) int) float64 {
	return Slope(f.busyOf(from, figure))
}

// busyOf returns a figure of the busy samples since from, and their times.
func (f *facts) busyOf(from int, figure func(*Sample) int) (at []time.Duration, values []float64) {
	for _, b := range f.busy[from:] {
		at, values = append(at, f.at[b]), append(values, float64(figure(&f.Samples[b])))
	}
	return at, values
}

// lasting is the least that a figure was in the last part of the samples, one
// in so many: what is there to stay.
func (f *facts) lasting(part int, figure func(*Sample) int) int {
	values := f.of(figure)
	n := max(handful, (len(values)+part-1)/part)
	if n > len(values) {
		return 0
	}
	return int(slices.Min(values[len(values)-n:]))
}

// most is the largest that a figure was.
func (f *facts) most(figure func(*Sample) int) int {
	return int(slices.Max(f.of(figure)))
}

// Figures of a sample.

func clientOpen(s *Sample) int { return s.Client.Counts.Open() }
func serverOpen(s *Sample) int { return s.Server.Counts.Open() }

func clientIn(state socketstats.State) func(*Sample) int {
	return func(s *Sample) int { return s.Client.Counts.Of(state) }
}

func serverIn(state socketstats.State) func(*Sample) int {
	return func(s *Sample) int { return s.Server.Counts.Of(state) }
}

// clientCounted reports whether the client metrics are in the samples.
func (f *facts) clientCounted() bool { return f.last().Requests != nil }

// used reports whether it is known what connections do.
func (f *facts) used() bool {
	return f.last().Client.Activity != nil && f.last().Server.Activity != nil
}

// idle counts the client's connections that have their answer and say nothing.
// By the client metrics it is exact; the kernel's clock tells it as soon as
// they have been silent for a while.
func (f *facts) idle(s *Sample) int {
	switch {
	case s.Requests != nil:
		// Of a relaying server's own connections nobody knows which are idle.
		return max(0, s.Client.Counts.Of(socketstats.Established)-s.UpstreamConns-s.Requests.InFlight)
	case s.Client.Activity != nil:
		return s.Client.Activity.Received.AtLeast(f.silent)
	default:
		return 0
	}
}

// talkingNow counts the client's connections that are neither idle nor waiting.
func (f *facts) talkingNow(s *Sample) int {
	return s.Client.Counts.Of(socketstats.Established) - f.idle(s) - unanswered(s, f.silent)
}

// held counts the server's connections that say nothing, answered or not.
func (f *facts) held(s *Sample) int {
	if s.Server.Activity == nil {
		return 0
	}
	return s.Server.Activity.Sent.AtLeast(f.silent) + s.Server.Activity.Fresh.AtLeast(f.silent)
}

// unanswered counts the client's connections that have sent, or have just been
// opened, and have waited for an answer for d or longer.
func unanswered(s *Sample, d time.Duration) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.Sent.AtLeast(d) + s.Client.Activity.Fresh.AtLeast(d)
}

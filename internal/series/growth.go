package series

import (
	"fmt"
	"math"
	"slices"
	"time"

	"socketlab/internal/socketstats"
)

// Growth is how the open sockets of a subject change, as every face, format and
// verdict shows it. It is 0 where the change may be chance.
type Growth float64 // sockets per second

// String writes it as "+2.1/s", "-0.5/s" or "flat".
func (g Growth) String() string {
	if g.Flat() {
		return "flat"
	}
	return fmt.Sprintf("%+.1f/s", float64(g))
}

// Flat reports whether it is too small to be shown with one digit.
func (g Growth) Flat() bool { return math.Abs(float64(g)) < 0.05 }

// Growth is the median slope (Theil and Sen) of the sockets that are open, at the
// end that has more of it, while the subject was at work, without the first third
// of that: a load begins with a ramp, whatever its client does. It is rounded to
// hundredths. A change of a few sockets, or of a small part of what there is, is
// none, unless it is growth that is never given back (see [TrendOf]).
func (s *Subject) Growth() Growth { return s.Work().Growth() }

// Growth is that of [Subject.Growth].
func (w *Work) Growth() Growth {
	client, server := w.GrowthOf(clientOpen), w.GrowthOf(serverOpen)
	if math.Abs(float64(server)) > math.Abs(float64(client)) {
		return server
	}
	return client
}

// Grows reports whether the open sockets grow all the time at one end, and how fast;
// see [TrendOf]. Whether they are used does not matter to it.
func (s *Subject) Grows() (Growth, bool) {
	w := s.Work()
	fastest, grows := 0.0, false
	for _, open := range []func(*Sample) int{clientOpen, serverOpen} {
		if t := TrendOf(w.Of(0, open)); t.Grows {
			fastest, grows = max(fastest, t.PerSecond), true
		}
	}
	return rounded(fastest), grows
}

// GrowthOf is the growth of any figure of a sample; see [Subject.Growth].
func (w *Work) GrowthOf(figure func(*Sample) int) Growth {
	const least, few, part = 3, 5, 0.25
	ramp := min(len(w.Busy)/3, max(0, len(w.Busy)-Least)) // as much of it as leaves enough
	at, values := w.Of(ramp, figure)
	if len(values) < least {
		return 0
	}
	g := Slope(at, values)
	span := (at[len(at)-1] - at[0]).Seconds()
	if math.Abs(g)*span <= max(few, part*slices.Max(values)) && !TrendOf(at, values).Grows {
		return 0
	}
	return rounded(g)
}

// rounded rounds to hundredths.
func rounded(perSecond float64) Growth { return Growth(math.Round(perSecond*100) / 100) }

func clientOpen(s *Sample) int { return s.Client.Counts.Open() }
func serverOpen(s *Sample) int { return s.Server.Counts.Open() }

// Work is a subject's samples made ready to be judged: of the subject as it is
// since its last start, on a clock that goes forward.
type Work struct {
	// Samples are those at work (see [Subject.AtWork]) since the last restart.
	// There may be none.
	Samples []Sample
	// Restarted says that there were samples before.
	Restarted bool
	// At is when each sample was taken.
	At []time.Duration
	// Busy are the samples during which the subject did something. What an idle
	// subject's sockets do says nothing: they stand still.
	Busy []int
	// Interval is the usual time between two samples.
	Interval time.Duration
}

// Work makes the subject's samples since its last start ready to be judged. What it
// returns shares the samples with the subject, and must not be changed.
func (s *Subject) Work() *Work {
	lives := s.Lives()
	if len(lives) == 0 {
		return s.WorkIn(nil)
	}
	w := s.WorkIn(lives[len(lives)-1])
	w.Restarted = len(lives) > 1
	return w
}

// Lives are the subject's samples at work, from each of its starts to the next. There is
// none without a sample.
func (s *Subject) Lives() (lives [][]Sample) {
	samples := s.AtWork()
	for from, i := 0, 1; i <= len(samples); i++ {
		if i == len(samples) || samples[i].Epoch != samples[i-1].Epoch {
			lives, from = append(lives, samples[from:i]), i
		}
	}
	return lives
}

// WorkIn is [Subject.Work] of one of the subject's lives.
func (s *Subject) WorkIn(life []Sample) *Work {
	w := &Work{Samples: completed(life, s.Final)}
	w.At = forward(w.Samples)
	steps := make([]float64, 0, len(w.At))
	for i := 1; i < len(w.At); i++ {
		steps = append(steps, float64(w.At[i]-w.At[i-1]))
	}
	w.Interval = time.Duration(median(steps))
	for i := range w.Samples {
		if i == 0 || w.worked(i) {
			w.Busy = append(w.Busy, i)
		}
	}
	return w
}

// Of returns a figure of the busy samples from the busy sample from on, with their
// times.
func (w *Work) Of(from int, figure func(*Sample) int) (at []time.Duration, values []float64) {
	for _, b := range w.Busy[from:] {
		at, values = append(at, w.At[b]), append(values, float64(figure(&w.Samples[b])))
	}
	return at, values
}

// completed fills in what a sample without sockets does not say: that they did
// nothing. Counters that are not there all the time are left out. If the client
// was at work to the end, its last report is that of the last sample.
func completed(samples []Sample, final *Final) []Sample {
	active := slices.ContainsFunc(samples, func(s Sample) bool { return s.Client.Activity != nil || s.Server.Activity != nil })
	counted := !slices.ContainsFunc(samples, func(s Sample) bool { return s.Requests == nil })
	samples = slices.Clone(samples)
	for i := range samples {
		s := &samples[i]
		if active && s.Client.Activity == nil {
			s.Client.Activity = &socketstats.Activity{}
		}
		if active && s.Server.Activity == nil {
			s.Server.Activity = &socketstats.Activity{}
		}
		if !counted {
			s.Requests = nil
		}
	}
	if n := len(samples); n > 0 && counted && final != nil && final.Requests != nil && final.Stopped == "" {
		samples[n-1].ClientMetrics = final.ClientMetrics
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
func (w *Work) worked(i int) bool {
	now, before := &w.Samples[i], &w.Samples[i-1]
	switch {
	case now.Requests != nil && before.Requests != nil:
		return now.Requests.Sent > before.Requests.Sent
	case clientOpen(now) != clientOpen(before), serverOpen(now) != serverOpen(before):
		return true
	case now.KernelConns != nil && before.KernelConns != nil && now.KernelConns.Opened > before.KernelConns.Opened:
		return true
	case now.Client.Activity != nil && now.Server.Activity != nil:
		return talking(now.Client.Activity, w.Interval) || talking(now.Server.Activity, w.Interval)
	default:
		return true
	}
}

// talking reports whether a connection has sent or received anything within a
// time.
func talking(a *socketstats.Activity, within time.Duration) bool {
	all := a.Fresh.Total() + a.Sent.Total() + a.Received.Total()
	return all > a.Fresh.AtLeast(within)+a.Sent.AtLeast(within)+a.Received.AtLeast(within)
}

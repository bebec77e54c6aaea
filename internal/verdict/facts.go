package verdict

import (
	"slices"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const (
	// few is the fewest sockets that are worth a report.
	few = series.Handful
	// several is how many sockets are worth a report even if they do not grow, when
	// nobody is about to close them.
	several = 5
)

// facts is a subject made ready for the rules: as it is since its last start, on a
// clock that goes forward.
type facts struct {
	*series.Work
	Conditions
	subject *series.Subject
	// silent is how long a connection is silent before it is called idle.
	silent time.Duration
	// lives is nil of a subject that is not restarted again and again.
	lives *lives
}

func gather(s *series.Subject, c Conditions) *facts {
	if c.Speed == 0 {
		c.Speed = 1
	}
	w, l := workOf(s)
	return &facts{Work: w, Conditions: c, subject: s, silent: socketstats.ClassBound(2 * w.Interval), lives: l}
}

// life turns a time into that of the subject at its ordinary speed.
func (f *facts) life(d time.Duration) time.Duration { return time.Duration(float64(d) * f.Speed) }

// span is how long the subject was observed.
func (f *facts) span() time.Duration { return f.At[len(f.At)-1] - f.At[0] }

func (f *facts) last() *series.Sample { return &f.Samples[len(f.Samples)-1] }

// stopped says why the subject's load was stopped; "" if it was not.
func (f *facts) stopped() string {
	if f.subject.Final == nil {
		return ""
	}
	return f.subject.Final.Stopped
}

// counted reports whether client-side counters are in all samples.
func (f *facts) counted() bool { return f.last().Requests != nil }

// active reports whether it is known what connections do.
func (f *facts) active() bool {
	return f.last().Client.Activity != nil && f.last().Server.Activity != nil
}

// figure is a number that every sample has.
type figure = func(*series.Sample) int

// trend is the trend of a figure while the subject was at work, from a busy sample
// on.
func (f *facts) trend(from int, of figure) series.Trend { return series.TrendOf(f.Of(from, of)) }

// grows is whether a figure grows all the time, and by how many per second.
func (f *facts) grows(of figure) (perSecond float64, grows bool) {
	t := f.trend(0, of)
	return t.PerSecond, t.Grows
}

// least is the least that a figure was in the last part of the samples, one in so
// many: what is there to stay.
func (f *facts) least(part int, of figure) int {
	n := max(few, (len(f.Samples)+part-1)/part)
	if n > len(f.Samples) {
		return 0
	}
	return slices.Min(f.values(of)[len(f.Samples)-n:])
}

// most is the largest that a figure was.
func (f *facts) most(of figure) int { return slices.Max(f.values(of)) }

func (f *facts) values(of figure) []int {
	values := make([]int, len(f.Samples))
	for i := range f.Samples {
		values[i] = of(&f.Samples[i])
	}
	return values
}

// staying is how many sockets there are that grow, or are there for good. As many at all
// times may be other ones each time: held are those that stay, where that is known.
func (f *facts) staying(of, held figure) int {
	if !f.counted() && f.active() { // a faster run is shorter than the time after which one is held
		if n := min(f.least(4, of), f.least(4, held)); n >= several {
			return n
		}
	} else if n := f.least(4, of); n >= several {
		return n
	}
	if _, grows := f.grows(of); grows {
		return of(f.last())
	}
	return 0
}

// Figures.

func clientOpen(s *series.Sample) int { return s.Client.Counts.Open() }
func serverOpen(s *series.Sample) int { return s.Server.Counts.Open() }

func clientIn(state socketstats.State) figure {
	return func(s *series.Sample) int { return s.Client.Counts.Of(state) }
}

func serverIn(state socketstats.State) figure {
	return func(s *series.Sample) int { return s.Server.Counts.Of(state) }
}

func established(s *series.Sample) int { return s.Client.Counts.Of(socketstats.Established) }

// inFlight is the requests in flight, where they are counted.
func inFlight(s *series.Sample) int { return int(s.Requests.InFlight) }

// maxPerDestination is the most local ports that are in use to one destination.
func maxPerDestination(s *series.Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.MaxPerDestination
}

// descriptors are those that are open in the subject's process; 0 if that is not
// known.
func descriptors(s *series.Sample) int {
	if s.Process == nil {
		return 0
	}
	return s.Process.Descriptors
}

// timeWait is the sockets in TIME_WAIT at the end that has more.
func (f *facts) timeWait() int {
	return max(f.most(clientIn(socketstats.TimeWait)), f.most(serverIn(socketstats.TimeWait)))
}

// idle counts the client's connections that have their response and are silent. By
// the client's counters it is exact; the kernel's clock shows it as soon as they
// have been silent for a while.
func (f *facts) idle(s *series.Sample) int {
	switch {
	case s.Requests != nil:
		// Which of a relaying server's own connections are idle is not known.
		return max(0, s.Client.Counts.Of(socketstats.Established)-f.upstreams(s)-inFlight(s))
	case s.Client.Activity != nil:
		return s.Client.Activity.Received.AtLeast(f.silent)
	default:
		return 0
	}
}

// silentAtServer counts the server's connections that are silent, answered or not.
func (f *facts) silentAtServer(s *series.Sample) int {
	if s.Server.Activity == nil {
		return 0
	}
	return s.Server.Activity.Sent.AtLeast(f.silent) + s.Server.Activity.Fresh.AtLeast(f.silent)
}

// unanswered counts the client's connections that have sent, or have just been
// opened, and have waited for a response for d or longer.
func unanswered(s *series.Sample, d time.Duration) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.Sent.AtLeast(d) + s.Client.Activity.Fresh.AtLeast(d)
}

// awaiting counts those of [unanswered] on which the client has sent something: what was
// only opened waits for no response.
func awaiting(s *series.Sample, d time.Duration) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.Sent.AtLeast(d) + min(s.Client.Activity.OneWay, s.Client.Activity.Fresh.AtLeast(d))
}

// upstreams is the connections that the first server opened for the requests.
func (f *facts) upstreams(s *series.Sample) int {
	if !f.subject.Relayed {
		return 0
	}
	return s.Upstreams
}

// conns is what came and went until a sample; nil where nobody counts it. What the
// client counts as opened goes before what the kernel saw. It knows nothing of the
// connections that a relaying server opens.
func (f *facts) conns(s *series.Sample) *series.ConnCounts {
	if s.Connections == nil || (f.subject.Relayed && s.KernelConns != nil) {
		return s.KernelConns
	}
	var c series.ConnCounts
	if s.KernelConns != nil {
		c = *s.KernelConns
	}
	c.Opened = int(s.Connections.Opened)
	return &c
}

// counter reads one of the client's counters of connections in the last sample; 0
// where it is not counted.
func (f *facts) counter(of func(*series.ClientConns) *int64) int64 {
	if c := f.last().Connections; c != nil && of(c) != nil {
		return *of(c)
	}
	return 0
}

func (f *facts) reused() int64 {
	return f.counter(func(c *series.ClientConns) *int64 { return c.Reused })
}

func (f *facts) failedConnects() int64 {
	return f.counter(func(c *series.ClientConns) *int64 { return c.Failed })
}

// attempts is how often a request was sent; 0 where that is not counted.
func (f *facts) attempts() int64 {
	if a := f.last().Requests.Attempts; a != nil {
		return *a
	}
	return 0
}

// kernel is how much a counter of the kernel rose. Only a subject in a namespace of
// its own has such counters.
func (f *facts) kernel(name string) int64 { return f.last().Kernel[name] - f.Samples[0].Kernel[name] }

// requests is what the client did by its own counters, and what the server that
// relays them opened beside that.
func (f *facts) requests() Fact {
	last := f.last()
	values := []Quantity{count("sent", last.Requests.Sent)}
	switch own := last.Connections; {
	case own != nil:
		values = append(values, count("opened", own.Opened), count("reused", f.reused()))
		if f.subject.Relayed && last.KernelConns != nil {
			values = append(values, count("relayed", max(0, int64(last.KernelConns.Opened)-own.Opened)))
		}
	case last.KernelConns != nil:
		values = append(values, count("opened", last.KernelConns.Opened), count("reused", f.reused()))
	}
	return fact("requests", append(values, some("failed", last.Requests.Failed))...)
}

// likely is how sure it is by how many of something were seen.
func likely[N int | int64](n N) Confidence {
	if n >= 2*several {
		return High
	}
	return Medium
}

// sureOf is medium for growth over a good number of samples.
func (f *facts) sureOf(t series.Trend) Confidence {
	if len(f.Busy) < 2*series.Least || t.Chance > series.Unlikely/10 {
		return Low
	}
	return Medium
}

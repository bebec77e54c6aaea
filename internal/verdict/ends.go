package verdict

import (
	"slices"
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// What follows are facts of processes that count nothing themselves: what their
// sockets show of how connections are used.

const (
	// enoughOpened is how many connections must have been opened, each used once, until
	// that is a habit and no start-up.
	enoughOpened = 15
	// lastingGrowth is how long connections must grow until no ordinary idle timeout
	// explains it (nginx closes after 75 s, Go's client after 90 s), and no start.
	lastingGrowth = 2 * time.Minute
)

// ownServer reports whether what the sockets at the server's end do is to be laid to
// the subject. With a port they are another process's, a subject of its own; and where
// their clients are seen there, that they grow is the clients' doing.
func (f *facts) ownServer() bool {
	if f.subject.Serves && 2*f.last().PeersHere >= serverOpen(f.last()) && serverOpen(f.last()) > 0 {
		return false
	}
	return !f.subject.Paired || f.subject.Endpoints != nil || f.counted()
}

// clientConns and serverConns are what came and went at one end until a sample; nil
// where that is not known.
func (f *facts) clientConns(s *series.Sample) *series.ConnCounts {
	c := f.conns(s)
	if c == nil {
		return nil
	}
	at := c.AtClient()
	return &at
}

func (f *facts) serverConns(s *series.Sample) *series.ConnCounts {
	if s.KernelConns == nil || f.subject.Paired {
		return nil
	}
	at := s.KernelConns.AtServer()
	return &at
}

// since is what came and went at one end while the subject was observed.
func (f *facts) since(of func(*series.Sample) *series.ConnCounts) *series.ConnCounts {
	first, last := of(&f.Samples[0]), of(f.last())
	if last == nil {
		return nil
	}
	if first == nil {
		return last
	}
	c := last.Since(*first)
	return &c
}

// usedOnce counts the client's connections that were used once at most.
func usedOnce(s *series.Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.Once
}

// singleUse reports whether nearly all connections that are open at the client's end
// were used once at most.
func (f *facts) singleUse() bool {
	open := clientOpen(f.last())
	return open > 0 && 10*usedOnce(f.last()) >= 8*open
}

// spread reports whether the client's connections go to nearly as many destinations
// as there are connections, or there is no more than one for each of the subject's
// processes: one for each is not too many, unless these grow, too.
func (f *facts) spread() bool {
	open := clientOpen(f.last())
	if p := f.last().Process; p != nil && p.Processes > 1 && open <= p.Processes && !f.allAlong(processes).Grows {
		return true
	}
	a := f.last().Client.Activity
	return a != nil && 2*a.Destinations > open
}

// forItsClients reports whether the client's connections may have become more because those that
// the same processes accepted have, half as many or more: a proxy opens one for each client that
// joins. Of a subject that is seen by a port it is their other TCP descriptors.
func (f *facts) forItsClients() bool {
	if f.counted() || f.Over || f.life(f.span()) >= lastingGrowth {
		return false
	}
	accepted := serverOpen
	if f.subject.Paired {
		accepted = func(s *series.Sample) int {
			return ofKind(s, socketstats.KindTCP) + ofKind(s, socketstats.KindMPTCP) - clientOpen(s)
		}
	}
	joined := f.rise(accepted)
	return joined >= few && 2*joined >= f.rise(clientOpen)
}

// unused counts the client's idle connections that were used once at most, or
// have been silent for longer than an ordinary pool waits.
func (f *facts) unused(s *series.Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return max(min(f.idle(s), usedOnce(s)), s.Client.Activity.Received.AtLeast(100*time.Second))
}

// untilLasting is for how much longer what grows must be observed until it has grown for
// [lastingGrowth]; 0 or less from then on, and where the subject was observed to its end.
func (f *facts) untilLasting() time.Duration {
	if f.Over {
		return 0
	}
	return time.Duration(float64(lastingGrowth)/f.Speed) - f.span()
}

// grownFor is the trend of a figure over the last d, and whether it grew all that
// time. It is false if the subject was not observed for so long.
func (f *facts) grownFor(d time.Duration, of figure) (series.Trend, bool) {
	end := f.At[len(f.At)-1]
	if f.life(end-f.At[0]) < d {
		return series.Trend{}, false
	}
	from := slices.IndexFunc(f.Busy, func(i int) bool { return f.life(end-f.At[i]) <= d+2*f.life(f.Interval) })
	if from < 0 {
		return series.Trend{}, false
	}
	t := f.trend(from, of)
	return t, t.Grows
}

// levelledOff reports whether no connection was opened at the client's end for a quarter of
// the time, and for longer than between two before: a pool may be full. What is over opens no
// more whatever it was, and a leak that stands still after two minutes is not forgotten.
func (f *facts) levelledOff() bool {
	opened := func(i int) int {
		if c := f.clientConns(&f.Samples[i]); c != nil {
			return c.Opened
		}
		return 0
	}
	last, longest := 0, time.Duration(0)
	for i := 1; i < len(f.Samples); i++ {
		if opened(i) > opened(i-1) || clientOpen(&f.Samples[i]) > clientOpen(&f.Samples[i-1]) { // not all that is opened is heard
			if last > 0 {
				longest = max(longest, f.At[i]-f.At[last])
			}
			last = i
		}
	}
	since := f.At[len(f.At)-1] - f.At[last]
	return !f.Over && f.life(f.span()) < lastingGrowth && last > 0 && since > longest && since >= f.span()/4
}

// quiet reports whether nothing has happened for longer than it did before, and for
// twenty samples: what grew then does not grow any more.
func (f *facts) quiet() bool {
	if len(f.Busy) == 0 {
		return true
	}
	first, last := f.Busy[0], f.Busy[len(f.Busy)-1]
	return len(f.Samples)-1-last >= samplesOfCalm && f.At[len(f.At)-1]-f.At[last] > f.At[last]-f.At[first]
}

// allAlong is the trend of a figure over all samples, whether or not connections did
// anything: descriptors of other kinds grow beside them.
func (f *facts) allAlong(of figure) series.Trend {
	values := make([]float64, len(f.Samples))
	for i := range f.Samples {
		values[i] = float64(of(&f.Samples[i]))
	}
	return series.TrendOf(f.At, values)
}

// resting counts the client's connections that were silent for as long as the time
// between two samples, up to a second.
func (f *facts) resting(s *series.Sample) int {
	if s.Client.Activity == nil {
		return 0
	}
	return s.Client.Activity.Received.AtLeast(min(f.Interval, time.Second))
}

// needlessOpens counts the client's connections that were opened while another was
// idle and stayed so, of a process that counts nothing itself.
func (f *facts) needlessOpens() int {
	n := 0
	for i := 1; i < len(f.Samples); i++ {
		before, now := f.clientConns(&f.Samples[i-1]), f.clientConns(&f.Samples[i])
		if before != nil && now != nil {
			n += min(max(0, now.Opened-before.Opened), min(f.resting(&f.Samples[i-1]), f.resting(&f.Samples[i])))
		}
	}
	return n
}

// mean is the mean of a figure over all samples.
func (f *facts) mean(of figure) float64 {
	sum := 0
	for i := range f.Samples {
		sum += of(&f.Samples[i])
	}
	return float64(sum) / float64(len(f.Samples))
}

// neverAnswered counts the client's connections that have sent a little and never received
// anything, for d or longer.
func (f *facts) neverAnswered(s *series.Sample, d time.Duration) int {
	a := s.Client.Activity
	if a == nil {
		return 0
	}
	return min(a.OneWay, a.Once, a.Fresh.AtLeast(d))
}

// awaited reports whether half of the client's connections may be waiting for their
// first response.
func (f *facts) awaited() bool {
	if f.waitsByDesign() {
		return false
	}
	a := f.last().Client.Activity
	n := a.Sent.Total() + a.Fresh.Total()
	if !looksLikeRequests(a) {
		n -= a.OneWay
	}
	return 2*n > clientOpen(f.last())
}

// waitsByDesign reports whether the subject speaks a protocol in which a client waits
// for what may come: a blocking pop, a subscription, a consumer, an idle mailbox.
func (f *facts) waitsByDesign() bool {
	return slices.ContainsFunc(strings.Split(f.subject.Protocol, ","), func(p string) bool {
		return slices.Contains([]string{"redis", "amqp", "mqtt", "kafka", "nats", "imap", "ssh"}, p)
	})
}

// looksLikeRequests reports whether what was sent one way is long enough for a
// request: the shortest of HTTP/1.1 has more than 16 bytes.
func looksLikeRequests(a *socketstats.Activity) bool {
	const shortest = 16
	return a.OneWay > 0 && a.OneWayBytes >= shortest*uint64(a.OneWay)
}

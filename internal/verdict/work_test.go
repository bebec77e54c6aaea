package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// worked is a series of n samples of a client whose metrics say what at fills in.
func worked(n int, at func(i int, s *verdict.Sample)) verdict.Series {
	series := verdict.Series{Paired: true, Ended: true}
	for i := range n {
		s := verdict.Sample{At: time.Duration(i) * time.Second, Flow: &verdict.Flow{}, Requests: &verdict.Requests{}}
		set(&s.Server, socketstats.Listen, 1)
		at(i, &s)
		series.Samples = append(series.Samples, s)
	}
	return series
}

// pooled is what is the same in all of these: ten requests a second, on a pool of
// ten connections, all answered.
func pooled(i int, s *verdict.Sample) {
	s.Requests.Sent, s.Requests.OK, s.Requests.Reused = 10*i, 10*i, max(0, 10*i-10)
	s.Requests.Attempts = 10 * i
	s.Flow.Opened = min(10, 10*i)
	set(&s.Client, socketstats.Established, min(10, 10*i))
	set(&s.Server, socketstats.Established, min(10, 10*i))
}

func and(changes ...func(i int, s *verdict.Sample)) func(int, *verdict.Sample) {
	return func(i int, s *verdict.Sample) {
		for _, change := range changes {
			change(i, s)
		}
	}
}

// failed turns n requests into failed ones.
func failed(s *verdict.Sample, n int) {
	s.Requests.OK -= n
	s.Requests.Failed += n
}

func TestWhatRequestsCameToIsJudged(t *testing.T) {
	t.Parallel()
	servers := func(a, b func(i int) int, bDue bool) func(int, *verdict.Sample) {
		return func(i int, s *verdict.Sample) {
			s.Servers = []verdict.Server{{Name: "a", Requests: a(i), Due: true}, {Name: "b", Requests: b(i), Due: bDue}}
		}
	}
	every := func(n int) func(int) int { return func(i int) int { return n * i } }
	quietAfter := func(after int, kept int) func(int, *verdict.Sample) {
		return func(i int, s *verdict.Sample) {
			i = min(i, after)
			s.Requests.Sent, s.Requests.OK, s.Requests.Reused = 10*i, 10*i, max(0, 10*i-10)
			s.Flow.Opened = min(10, 10*i)
			set(&s.Client, socketstats.Established, min(kept, 10*i))
			set(&s.Server, socketstats.Established, min(kept, 10*i))
		}
	}
	tests := map[string]struct {
		want verdict.Kind
		n    int
		at   func(i int, s *verdict.Sample)
		says string
	}{
		"each request is tried four times": {verdict.RetryStorm, 20, and(pooled, func(i int, s *verdict.Sample) {
			s.Requests.Attempts = 40 * i
		}), "190 requests became 760 attempts: 4 for each."},
		"some are tried again": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			s.Requests.Attempts = 11 * i
		}), ""},
		"a few requests, each tried again": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			s.Requests.Sent, s.Requests.OK, s.Requests.Reused = min(i, 4), min(i, 4), 0
			s.Requests.Attempts = 3 * s.Requests.Sent
			s.Flow.Opened = 1
		}), ""},
		"connecting is tried again and again": {verdict.RetryStorm, 20, and(pooled, func(i int, s *verdict.Sample) {
			failed(s, s.Requests.OK)
			s.Requests.Refused = 50 * i
		}), "950 attempts to connect failed"},
		"tries are not counted": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			s.Requests.Attempts = 0
		}), ""},

		"requests fail on connections that served before": {verdict.StaleConnectionReuse, 20, and(pooled, func(i int, s *verdict.Sample) {
			failed(s, 2*i)
			s.Requests.CutOff, s.Requests.StaleReuse = 2*i, 2*i
		}), "38 requests failed on connections that had served before"},
		"two do": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			n := min(i, 2)
			failed(s, n)
			s.Requests.CutOff, s.Requests.StaleReuse = n, n
		}), ""},
		"few of many failures are of that sort": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			failed(s, 5*i)
			s.Requests.StaleReuse = i
		}), ""},

		"most requests are abandoned while others are answered": {verdict.TimeoutTooShort, 20, and(pooled, func(i int, s *verdict.Sample) {
			failed(s, 7*i)
			s.Requests.TimedOut, s.Flow.Opened = 7*i, 7*i
		}), "133 requests were abandoned"},
		"no request is answered": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			failed(s, s.Requests.OK)
			s.Requests.TimedOut, s.Flow.Opened = 10*i, 10*i
			s.Requests.Sent, s.Requests.InFlight, s.Requests.Reused = 10*i+10, 10, 0
		}), ""},
		"none is answered any more": {verdict.Healthy, 20, and(pooled, func(i int, s *verdict.Sample) {
			n := max(0, 10*(i-5))
			failed(s, n)
			s.Requests.TimedOut = n
			s.Flow.Opened += n
		}), ""},

		"one of two servers gets nothing": {verdict.LoadImbalance, 20, and(pooled, servers(every(10), every(0), true)),
			"Of the last 90 requests 90 went to a and none to b."},
		"it got something at first": {verdict.LoadImbalance, 20, and(pooled, servers(every(10), func(i int) int { return min(i, 5) }, true)), ""},
		"both get some":             {verdict.Healthy, 20, and(pooled, servers(every(9), every(1), true)), ""},
		"it should get nothing":     {verdict.Healthy, 20, and(pooled, servers(every(10), every(0), false)), ""},
		"too few to tell":           {verdict.Healthy, 20, and(pooled, servers(every(1), every(0), true)), ""},

		"ten idle connections for three minutes":          {verdict.IdleTimeoutMissing, 200, quietAfter(10, 10), "10 connections are open and idle for 3 minutes"},
		"for one minute":                                  {verdict.Healthy, 70, quietAfter(10, 10), ""},
		"three idle connections":                          {verdict.Healthy, 200, quietAfter(10, 3), ""},
		"ten at work, for three minutes":                  {verdict.Healthy, 200, pooled, ""},
		"ten idle connections that are given back in two": {verdict.Healthy, 200, and(quietAfter(10, 0), func(i int, s *verdict.Sample) { set(&s.Client, socketstats.Established, max(0, 10-i/10)) }), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verdict.Diagnose(worked(test.n, test.at))
			require.Equal(t, test.want, v.Kind, "%+v", v)
			if test.says != "" {
				require.Contains(t, v.Evidence[0]+" "+v.Evidence[len(v.Evidence)-1], test.says)
			}
		})
	}
}

// A server that stands in the middle has a pool of its own, and its connections
// are among the sockets: they are neither the client's idle ones nor its pool.
func TestServerInTheMiddle(t *testing.T) {
	t.Parallel()
	middle := func(waiting, behind func(i int) int) verdict.Verdict {
		s := worked(20, func(i int, s *verdict.Sample) {
			s.Requests.Sent, s.Requests.InFlight = 10*i, waiting(i)
			s.Requests.OK = 10*i - waiting(i)
			s.UpstreamConns = behind(i)
			s.Flow.Opened = waiting(i) + behind(i)
			set(&s.Client, socketstats.Established, waiting(i)+behind(i))
		})
		s.Relayed = true
		return verdict.Diagnose(s)
	}
	constant := func(n int) func(int) int { return func(i int) int { return min(n, 10*i) } }
	grows := func(i int) int { return 2 * i }
	require.Equal(t, verdict.PoolExhaustion, middle(constant(20), constant(5)).Kind)
	require.Equal(t, verdict.PoolExhaustion, middle(grows, constant(5)).Kind, "who waits holds a connection each, to the middle")
	require.Equal(t, verdict.Healthy, middle(constant(20), constant(20)).Kind)
	require.Equal(t, verdict.Healthy, middle(constant(2), constant(20)).Kind, "the middle's idle connections are its own")
}

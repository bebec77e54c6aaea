package verdict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// known is a series of n samples, a second apart, of which everything is known
// that the kernel knows; at may change each.
func known(n int, at func(i int, s *verdict.Sample)) verdict.Series {
	series := verdict.Series{Limits: socketstats.Limits{Descriptors: 1024, Ports: 28232}}
	for i := range n {
		s := verdict.Sample{At: time.Duration(i) * time.Second, Flow: &verdict.Flow{}}
		s.Client.Activity, s.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
		at(i, &s)
		series.Samples = append(series.Samples, s)
	}
	return series
}

// silent puts n connections into the class of those silent for d.
func silent(n int, d time.Duration) (s socketstats.Silence) {
	for i := range s {
		s[i] = n
		if s.AtLeast(d) == n {
			return s
		}
		s[i] = 0
	}
	return s
}

// set makes n sockets of an end be in a state.
func set(e *verdict.End, state socketstats.State, n int) {
	e.Counts = e.Counts.Plus(in(state, n))
}

const (
	now  = time.Millisecond
	long = 100 * time.Second
)

func TestEachKindHasItsSign(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want   verdict.Kind
		series verdict.Series
		says   string
	}{
		"idle connections grow": {verdict.IdleConnectionsNotReused, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, 2*i)
			s.Client.Activity.Received = silent(2*i, long)
			s.Descriptors = 10 + 2*i
		}), "58 connections have had an answer and nothing since"},
		"a busy pool grows with its load": {verdict.Healthy, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, 2*i)
			s.Client.Activity.Received = silent(2*i, now)
		}), "58 connections were open at most"},
		"an idle pool stands still": {verdict.Healthy, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, 40)
			s.Client.Activity.Received = silent(40, long)
		}), "40 connections were open at most"},
		"answers are not read": {verdict.ResponseBodyLeak, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, i)
			s.Client.Activity.Received, s.Client.Activity.Unread = silent(i, long), i
		}), "29 connections have data that the program does not read"},
		"CLOSE_WAIT grows": {verdict.CloseWaitLeak, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.CloseWait, i)
		}), "growing by 1 a second"},
		"CLOSE_WAIT stands": {verdict.CloseWaitLeak, known(10, func(_ int, s *verdict.Sample) {
			set(&s.Client, socketstats.CloseWait, 7)
		}), "closed 7 connections"},
		"CLOSE_WAIT comes and goes": {verdict.Healthy, known(30, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.CloseWait, i%3*4)
		}), ""},
		"a pool that looks late": {verdict.Healthy, known(30, func(_ int, s *verdict.Sample) {
			set(&s.Client, socketstats.CloseWait, 2)
		}), "2 connections have been closed by the other end only"},
		"CLOSE_WAIT at a server": {verdict.CloseWaitLeak, known(30, func(i int, s *verdict.Sample) {
			set(&s.Server, socketstats.CloseWait, i)
		}), "CLOSE_WAIT"},
		"connections are thrown away": {verdict.ConnectionChurn, known(20, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, i%2)
			set(&s.Client, socketstats.TimeWait, 10*i)
			s.Flow = &verdict.Flow{Opened: 10 * i, Closed: 10 * i, WithTCPInfo: 10 * i, ShortLived: 10 * i}
		}), "190 of 190 carried an exchange or two"},
		"connections that carried much are replaced": {verdict.Healthy, known(20, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, 2)
			s.Flow = &verdict.Flow{Opened: 10 * i, Closed: 10 * i, WithTCPInfo: 10 * i, ShortLived: i}
		}), ""},
		"a server whose clients come and go": {verdict.Healthy, known(20, func(i int, s *verdict.Sample) {
			set(&s.Server, socketstats.Established, 2)
			s.Flow = &verdict.Flow{Opened: 10 * i, Closed: 10 * i, WithTCPInfo: 10 * i, ShortLived: 10 * i}
		}), ""},
		"a server whose clients come and go unseen": {verdict.Healthy, known(20, func(i int, s *verdict.Sample) {
			set(&s.Server, socketstats.Listen, 1)
			s.Flow = &verdict.Flow{Opened: 10 * i, Closed: 10 * i, WithTCPInfo: 10 * i, ShortLived: 10 * i}
		}), ""},
		"nobody answers SYN": {verdict.ConnectStalled, known(10, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.SynSent, min(i, 4))
			s.Client.Activity.Resent = min(i, 4)
		}), "4 sockets have been in SYN_SENT"},
		"far away, some are always under way": {verdict.Healthy, known(20, func(_ int, s *verdict.Sample) {
			set(&s.Client, socketstats.SynSent, 6)
		}), ""},
		"requests hang": {verdict.RequestStalled, known(40, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, i)
			s.Client.Activity.Sent = silent(max(0, i-30), 30*time.Second)
		}), "had no answer for 30s"},
		"answers are slow": {verdict.NotEnoughData, known(20, func(i int, s *verdict.Sample) {
			set(&s.Client, socketstats.Established, i)
			s.Client.Activity.Sent = silent(i, 10*time.Second)
		}), "19 requests wait for an answer"},
		"the accept queue is full": {verdict.AcceptQueueOverflow, known(10, func(_ int, s *verdict.Sample) {
			s.Queue = &verdict.Queue{Waiting: 5, Limit: 4}
		}), "5 connections wait to be accepted where 4 may, in 10 of 10 samples"},
		"the accept queue is busy": {verdict.Healthy, known(10, func(_ int, s *verdict.Sample) {
			s.Queue = &verdict.Queue{Waiting: 4, Limit: 4}
		}), ""},
		"the kernel turned connections away": {verdict.AcceptQueueOverflow, known(10, func(i int, s *verdict.Sample) {
			s.Kernel = socketstats.Counters{"ListenOverflows": int64(i)}
		}), "9 times"},
		"a server's clients go silent": {verdict.ServerIdleClients, known(30, func(i int, s *verdict.Sample) {
			set(&s.Server, socketstats.Established, i)
			s.Server.Activity.Fresh = silent(i, long)
		}), "29 of them never sent anything"},
		"a server's clients are dead": {verdict.HalfOpenConnections, known(30, func(_ int, s *verdict.Sample) {
			set(&s.Server, socketstats.Established, 8)
			s.Server.Activity.Dead = 5
		}), "5 connections have sent data again"},
		"descriptors are low": {verdict.FDExhaustion, known(10, func(_ int, s *verdict.Sample) {
			s.Descriptors = 1000
		}), "1000 of the 1024 descriptors"},
		"ports are low": {verdict.PortExhaustion, known(10, func(_ int, s *verdict.Sample) {
			s.Client.Activity.MaxPerDestination = 25000
		}), "25000 of the 28232 local ports"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verdict.Diagnose(test.series)
			require.Equal(t, test.want, v.Kind, "%+v", v)
			about, ok := verdict.Explain(v.Kind)
			require.True(t, ok)
			require.Equal(t, about.Leak, v.Leak)
			require.Equal(t, about.Fix, v.Fix)
			require.NotEmpty(t, v.Evidence)
			require.LessOrEqual(t, len(v.Evidence), 3)
			all := ""
			for _, e := range v.Evidence {
				all += e + "\n"
			}
			require.Contains(t, all, test.says)
		})
	}
}

// clientCounted is a series with the client metrics: what was sent, answered,
// reused and opened by sample i, and how many connections are then open.
func clientCounted(n int, at func(i int) (sent, ok, reused, opened, established int)) verdict.Series {
	series := known(n, func(i int, s *verdict.Sample) {
		sent, ok, reused, opened, established := at(i)
		s.Requests = &verdict.Requests{Sent: sent, OK: ok, InFlight: sent - ok, Reused: reused}
		if ok > 0 {
			s.Requests.Slowest = 100 * time.Millisecond
		}
		s.Flow.Opened = opened
		set(&s.Client, socketstats.Established, established)
		set(&s.Server, socketstats.Established, established)
		set(&s.Server, socketstats.Listen, 1)
	})
	series.Paired = true
	return series
}

// The client metrics are read after its sockets are counted: on a busy machine so
// long after that many connections more are in them.
func TestConnectionsOpenedAfterTheLastCountAreNotThrownAway(t *testing.T) {
	t.Parallel()
	series := clientCounted(12, func(i int) (int, int, int, int, int) {
		if i == 11 {
			return 40, 2, 0, 40, 22
		}
		return 2 * i, 0, 0, 2 * i, 2 * i
	})
	series.Samples[11].Requests.Slowest = 10 * time.Second // the answers are slow
	require.Equal(t, verdict.NotEnoughData, verdict.Diagnose(series).Kind)
}

func TestBooksTellWhatSocketsDoNot(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want   verdict.Kind
		series verdict.Series
	}{
		"each request leaves an idle connection": {verdict.IdleConnectionsNotReused, clientCounted(20, func(i int) (int, int, int, int, int) { return 2 * i, 2 * i, 0, 2 * i, 2 * i })},
		"connections are reused":                 {verdict.Healthy, clientCounted(20, func(i int) (int, int, int, int, int) { return 20 * i, 20 * i, max(0, 20*i-3), min(3, i), min(3, i) })},
		"each request's connection is closed":    {verdict.ConnectionChurn, clientCounted(20, func(i int) (int, int, int, int, int) { return 10 * i, 10 * i, 0, 10 * i, 1 })},
		"slow answers at first": {verdict.NotEnoughData, clientCounted(12, func(i int) (int, int, int, int, int) {
			return 2 * i, 0, 0, 2 * i, 2 * i
		})},
		"requests wait for a pool": {verdict.PoolExhaustion, clientCounted(30, func(i int) (int, int, int, int, int) {
			return 10 * i, 5 * i, max(0, 5*i-5), min(5, i), min(5, i)
		})},
		"one answer in two does not come": {verdict.RequestStalled, clientCounted(30, func(i int) (int, int, int, int, int) {
			return 2 * i, i, max(0, i-1), i + 1, i + 1
		})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verdict.Diagnose(test.series)
			require.Equal(t, test.want, v.Kind, "%+v", v)
		})
	}
}

// Whenever in the moment of the stop a sample is made, it is told.
func TestServerThatStopsInTheMiddleOfItsAnswers(t *testing.T) {
	t.Parallel()
	stops := func(when string, cut int) verdict.Verdict {
		s := clientCounted(20, func(i int) (int, int, int, int, int) {
			if i < 5 {
				return 50, 0, 0, 50, 50
			}
			return 50, 50, 0, 50, 0
		})
		for i := range s.Samples {
			r := s.Samples[i].Requests
			if i >= 5 {
				s.Samples[i].Server.Counts = socketstats.Counts{}
				r.OK, r.Failed, r.CutOff = 50-cut, cut, cut
			}
			if when == "between list and client metrics" && i == 4 {
				*r = *s.Samples[5].Requests
				r.InFlight, r.OK, r.Failed, r.CutOff = 0, 50-cut, cut, cut
			}
		}
		s.Ended = true
		return verdict.Diagnose(s)
	}
	for _, when := range []string{"between samples", "between list and client metrics"} {
		require.Equal(t, verdict.UngracefulShutdown, stops(when, 50).Kind, when)
		require.Equal(t, verdict.UngracefulShutdown, stops(when, 30).Kind, when)
		require.Equal(t, verdict.Healthy, stops(when, 0).Kind, when)
	}
}

// What looks the same is said, and how to tell them apart; once the server idles out
// it is told.
func TestTwoKindsThatLookTheSame(t *testing.T) {
	t.Parallel()
	until := func(n int, after func(i int, s *verdict.Sample)) verdict.Series {
		s := clientCounted(n, func(i int) (int, int, int, int, int) {
			r := 2 * min(i, 20)
			return r, r, 0, r, 0
		})
		for i := range s.Samples {
			if i < 30 {
				set(&s.Samples[i].Client, socketstats.Established, 2*min(i, 20))
			} else {
				after(i, &s.Samples[i])
			}
		}
		return s
	}
	before := verdict.Diagnose(until(30, nil))
	require.Equal(t, verdict.IdleConnectionsNotReused, before.Kind)
	require.Equal(t, verdict.ResponseBodyLeak, before.Alternatives[0].Kind)
	require.NotEmpty(t, before.Alternatives[0].RecognisedBy)

	body := verdict.Diagnose(until(60, func(_ int, s *verdict.Sample) { set(&s.Client, socketstats.CloseWait, 40) }))
	require.Equal(t, verdict.ResponseBodyLeak, body.Kind)
	require.Empty(t, body.Alternatives)
}

func TestForecastSaysWhatRunsOut(t *testing.T) {
	t.Parallel()
	leak := known(40, func(i int, s *verdict.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
		s.Client.Activity.MaxPerDestination = 2 * i
		s.Descriptors = 24 + 2*i
	})
	require.Equal(t, "At this rate the process has its 1024 descriptors in 8 minutes.", verdict.Diagnose(leak).Forecast)
	leak.Limits.Descriptors = 0
	require.Contains(t, verdict.Diagnose(leak).Forecast, "28232 local ports towards the destination are taken in 4 hours")

	churn := known(40, func(i int, s *verdict.Sample) {
		set(&s.Client, socketstats.TimeWait, 1000*i)
		s.Client.Activity.MaxPerDestination = 1000 * i
		s.Flow = &verdict.Flow{Opened: 1000 * i, Closed: 1000 * i, WithTCPInfo: 1000 * i, ShortLived: 1000 * i}
	})
	churn.Samples = churn.Samples[:20]
	require.Equal(t, verdict.ConnectionChurn, verdict.Diagnose(churn).Kind)
	require.Contains(t, verdict.Diagnose(churn).Forecast, "taken in 9.2s")
}

func TestEveryKindIsExplained(t *testing.T) {
	t.Parallel()
	for _, k := range verdict.Kinds() {
		about, ok := verdict.Explain(k)
		require.True(t, ok)
		require.NotEmpty(t, about.Title, k)
		require.NotEmpty(t, about.Means, k)
		require.NotEmpty(t, about.Recognised, k)
		require.Equal(t, about.Leak, about.Fix != "", k)
	}
	_, ok := verdict.Explain("no-such-kind")
	require.False(t, ok)
}

// The same series gives the same verdict, and is not changed by it.
func TestDiagnoseIsPure(t *testing.T) {
	t.Parallel()
	s := open(shape(60, func(i int) float64 { return float64(2 * i) }))
	s.Samples[30].Client.Activity = &socketstats.Activity{} // one knows, the others do not
	want := open(shape(60, func(i int) float64 { return float64(2 * i) }))
	want.Samples[30].Client.Activity = &socketstats.Activity{}
	first := verdict.Diagnose(s)
	require.Equal(t, want, s)
	require.Equal(t, first, verdict.Diagnose(s))
}

// A transport for each of three requests in two seconds, each answered after 20
// s: before the answers nothing is said, and healthy is never said.
func TestSlowAnswersAreNoVerdictAndNoAcquittal(t *testing.T) {
	t.Parallel()
	all := known(70, func(i int, s *verdict.Sample) {
		opened := 3 * i / 2
		answered := max(0, 3*(i-20)/2)
		idle := max(0, 3*(i-23)/2)
		set(&s.Client, socketstats.Established, opened)
		s.Client.Activity.Sent = silent(opened-answered, 10*time.Second)
		s.Client.Activity.Received = silent(idle, 3*time.Second)
		s.Client.Activity.Received[0] = answered - idle
		s.Flow.Opened = opened
	})
	first := 0
	for n := 1; n <= len(all.Samples); n++ {
		v := verdict.Diagnose(verdict.Series{Samples: all.Samples[:n]})
		switch {
		case first > 0:
			require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind, "sample %d, after %d", n, first)
		case v.Leak:
			require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind)
			first = n
		default:
			require.Equal(t, verdict.NotEnoughData, v.Kind, "sample %d: %+v", n, v)
		}
	}
	require.Positive(t, first)
	require.Less(t, first, 50)
}

// When a load falls, the connections of its pool become idle one after the
// other. That is no leak: none is opened beside them.
func TestFallingLoadIsNoLeak(t *testing.T) {
	t.Parallel()
	v := verdict.Diagnose(known(60, func(i int, s *verdict.Sample) {
		set(&s.Client, socketstats.Established, 60)
		s.Client.Activity.Received = silent(i, long)
		s.Client.Activity.Received[0] = 60 - i
	}))
	require.Equal(t, verdict.Healthy, v.Kind, "%+v", v)
}

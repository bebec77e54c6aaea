package verdict_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

var _ = examplesOf(verdict.IdleConnectionsNotReused,
	example{name: "idle connections grow", confidence: verdict.Medium, says: "58 connections have had a response and nothing since for 3s or longer, growing by 2 per second.", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
		s.Process = &series.Process{Descriptors: 10 + 2*i}
	})},
	example{name: "they have not grown for long", confidence: verdict.Low, subject: observed(12, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, long)
	})},
	example{name: "each request leaves an idle connection", confidence: verdict.Medium, says: "38 connections are open and idle; 36 connections were opened while another was idle.", subject: counted(20, onceForEach)},
	example{name: "each request leaves one in a pool of its own", confidence: verdict.High, says: "36 connections were opened while another was idle.", subject: counted(20, onceForEach, poolSays(0, 2))},
	example{name: "they have grown since the middle", says: "growing by 1 per second", subject: observed(60, func(i int, s *series.Sample) {
		idle := 5 + max(0, i-32)
		set(&s.Client, socketstats.Established, idle+3+i%2)
		s.Client.Activity.Received = silent(idle, long)
		s.Client.Activity.Received[0] = 3 + i%2
	})},
	example{name: "some fewer are in use meanwhile", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i+40-i/2)
		s.Client.Activity.Received = silent(2*i, long)
		s.Client.Activity.Received[0] = 40 - i/2
	})},
	example{name: "a pool of which now and then it is not known", subject: counted(20, onceForEach, poolSays(0, 2), func(i int, s *series.Sample) {
		if i%3 == 0 {
			s.Pool.Idle = nil
		}
	})},
	example{name: "more look idle than the pool has", instead: verdict.ConnectionChurn, subject: counted(24, func(i int) (int, int, int, int, int) {
		return i, i, 0, i, 3
	}, func(_ int, s *series.Sample) {
		two := int64(2)
		s.Pool = &series.Pool{InUse: 1, Idle: &two}
	})},
	example{name: "responses come late on a busy machine, and then nothing", over: true, subject: counted(24, func(i int) (int, int, int, int, int) {
		return onceForEach(min(i, 20))
	}, func(i int, s *series.Sample) {
		s.Client.Activity.Received = silent(2*min(i, 20), now)
		if i > 20 {
			s.Client.Activity.Received = silent(40, long)
		}
	})},
	example{name: "a short run is over", over: true, subject: counted(6, func(i int) (int, int, int, int, int) { return 3 * i, 3 * i, 0, 3 * i, 3 * i })},
	example{name: "a short run goes on", instead: verdict.NotEnoughData, subject: counted(6, func(i int) (int, int, int, int, int) { return 3 * i, 3 * i, 0, 3 * i, 3 * i })},
	example{name: "they have grown for a moment", instead: verdict.Healthy, subject: observed(24, func(i int, s *series.Sample) {
		idle := 5 + max(0, i-13)
		set(&s.Client, socketstats.Established, idle+3+i%2)
		s.Client.Activity.Received = silent(idle, long)
		s.Client.Activity.Received[0] = 3 + i%2
	})},
	example{name: "a server closes them when they are idle", severity: verdict.Fault, confidence: verdict.High, says: "They last about 4.8s: as long as an idle timeout lets them.", subject: timedOut(60, 5)},
	example{name: "the client closes them after a silence", severity: verdict.Note, confidence: verdict.Medium, says: "This end closes them itself, after a silence", subject: closedByClient(timedOut(60, 5))},
	example{name: "sessions of some seconds, which the client closes", instead: verdict.ConnectionChurn, subject: sessions(closedByClient(timedOut(60, 5)))},
	example{name: "sessions of some seconds, which the server closes when they say goodbye", instead: verdict.ConnectionChurn, subject: sessions(timedOut(60, 5))},
	example{name: "longer sessions by the server's port", instead: verdict.Healthy, subject: paired(sessions(timedOut(60, 20)))},
	example{name: "by the server's port they may be visitors", severity: verdict.Note, confidence: verdict.Medium, says: "Many visitors of a server look the same", subject: paired(timedOut(60, 20))},
	example{name: "by the server's port they have not grown for long", confidence: verdict.Low, subject: paired(timedOut(30, 60))},
	example{name: "by the server's port they grow for longer", confidence: verdict.Medium, subject: paired(timedOut(50, 75))},
	example{name: "one for each client that joins a proxy, and is silent", instead: verdict.Growing, subject: forClients(onceEach(40), 1)},
	example{name: "one for each client that joins a proxy, for two minutes", confidence: verdict.Medium, subject: forClients(onceEach(125), 1)},
	example{name: "a service whose clients keep their connections", confidence: verdict.Medium, subject: forClients(onceEach(40), 0)},
	example{name: "some of each round are left", subject: observed(90, func(i int, s *series.Sample) {
		open := 3 * (i / 5)
		if i%5 < 2 {
			open += 7
		}
		set(&s.Client, socketstats.Established, open)
		a := s.Client.Activity
		a.Once, a.Destinations, a.Received = open, 1, silent(3*(i/5), 3*time.Second)
		a.Received[0] = open - 3*(i/5)
		s.KernelConns.Opened = 10 * (i/5 + 1)
		s.KernelConns.Closed = s.KernelConns.Opened - open
	})},
	example{name: "a pool that fills slowly, and is hardly used", instead: verdict.Growing, subject: observed(50, func(i int, s *series.Sample) {
		filling(s, 1+i/5, 1+i/5)
	})},
	example{name: "a pool was filled in ten seconds, and most of it rests", instead: verdict.NotEnoughData, subject: observed(16, func(i int, s *series.Sample) {
		filling(s, min(2+2*i, 22), min(2+2*i, 20))
	})},
	example{name: "sixty in fifteen seconds, and the run is over soon after", over: true, subject: observed(20, func(i int, s *series.Sample) {
		filling(s, min(1+4*i, 61), min(1+4*i, 61))
	})},
	example{name: "forty are open, of which few were heard", confidence: verdict.Medium, subject: observed(20, func(i int, s *series.Sample) {
		filling(s, 1+2*i, 1+2*i)
		s.KernelConns.Opened = min(2*i, 5)
	})},
	example{name: "a pool was filled, and rests", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		filling(s, min(1+i, 31), min(1+i, 31))
	})},
	example{name: "a pool was filled after twenty seconds, and rests", instead: verdict.Growing, subject: observed(52, func(i int, s *series.Sample) {
		open := 1 + min(max(0, i-19), 17)
		filling(s, open, open)
	})},
	example{name: "none was opened for less than a quarter of the time", subject: observed(36, func(i int, s *series.Sample) {
		filling(s, min(1+i, 31), min(1+i, 31))
	})},
	example{name: "none was opened for as long before", subject: observed(45, func(i int, s *series.Sample) {
		open := 1 + 2*min(i, 12) + 2*min(max(0, i-24), 8)
		filling(s, open, open)
	})},
	example{name: "eleven in twenty seconds, and the run is over", over: true, confidence: verdict.Low, subject: observed(24, func(i int, s *series.Sample) {
		filling(s, 1+i/2, 1+i/2)
	})},
	example{name: "those that the server has closed were used once, too", severity: verdict.Fault, says: "of 55 closed ones 55 were used once or twice", subject: timedOut(61, 5)},
	example{name: "a pool of twenty that fills, and uses them in turn", instead: verdict.Growing, subject: observed(80, func(i int, s *series.Sample) {
		filling(s, 1+i/4, 1+i/10)
	})},
	example{name: "one in five seconds, for two minutes", confidence: verdict.Medium, subject: observed(122, func(i int, s *series.Sample) {
		filling(s, 1+i/5, 1+i/5)
	})},
	example{name: "some of each burst are left, every twenty seconds", confidence: verdict.Medium, subject: observed(139, func(i int, s *series.Sample) {
		inBursts(i, s, 3)
	})},
	example{name: "none of a burst is left", instead: verdict.ConnectionChurn, subject: observed(139, func(i int, s *series.Sample) {
		inBursts(i, s, 0)
	})},
	example{name: "a connection to each of many hosts", instead: verdict.Growing, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(i, 10*time.Second), i, i
		s.KernelConns.Opened = i
	})},
	example{name: "a connection for each of its processes", instead: verdict.Growing, subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(i, 10*time.Second), i, 1
		s.KernelConns.Opened = i
		s.Process = &series.Process{Processes: 31}
	})},
	example{name: "a process for each connection, and both grow", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, i)
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(i, 10*time.Second), i, 1
		s.KernelConns.Opened = i
		s.Process = &series.Process{Processes: i + 1}
	})},
	example{name: "a burst opens connections, and an idle timeout closes them", instead: verdict.Healthy, subject: observed(90, func(i int, s *series.Sample) {
		open := 0
		if i%30 < 10 {
			open = 10
		}
		set(&s.Client, socketstats.Established, open)
		s.Client.Activity.Received, s.Client.Activity.Once, s.Client.Activity.Destinations = silent(open, 3*time.Second), open, 1
		s.KernelConns.Opened = 10 * (i/30 + 1)
		s.KernelConns.Closed = s.KernelConns.Opened - open
	})},
	example{name: "a busy pool grows with its load", instead: verdict.Growing, says: "58 connections are open", subject: observed(30, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
	// When a load falls, the connections of its pool become idle one after the other.
	// None is opened beside them.
	example{name: "a load falls", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		set(&s.Client, socketstats.Established, 60)
		s.Client.Activity.Received = silent(i, long)
		s.Client.Activity.Received[0] = 60 - i
	})},
)

// A pool that fills shows in two minutes that it is one. Later, or once connections are closed,
// nothing is left to wait for.
func TestIdleConnectionsThatWereNotClosedYetMayBeAPool(t *testing.T) {
	t.Parallel()
	growing := func(s *series.Subject) bool {
		v := judge(s)
		require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind)
		return slices.ContainsFunc(v.Alternatives, func(a verdict.Alternative) bool { return a.Kind == verdict.Growing })
	}
	require.True(t, growing(onceEach(50)))
	require.False(t, growing(onceEach(125)))
}

// inBursts makes twelve connections be opened every twenty seconds, of which some are left; the
// others are closed before the next sample.
func inBursts(i int, s *series.Sample, each int) {
	open := each * (i/20 + 1)
	left := open
	if i%20 < 3 {
		left -= each
	}
	set(&s.Client, socketstats.Established, open)
	a := s.Client.Activity
	a.Once, a.Destinations, a.Received = open, 1, silent(left, 10*time.Second)
	a.Received[0] = open - left
	closed := 12*(i/20+1) - open
	*s.KernelConns = series.ConnCounts{Opened: 12 * (i/20 + 1), Closed: closed, WithTCPInfo: closed, ShortLived: closed}
}

// filling makes so many connections be open, of which some were used once at most.
func filling(s *series.Sample, open, once int) {
	set(&s.Client, socketstats.Established, open)
	a := s.Client.Activity
	a.Once, a.Destinations, a.Received = once, 1, silent(open-1, 3*time.Second)
	a.Received[0] = 1
	s.KernelConns.Opened = open - 1
}

// timedOut is a client that opens a connection a second, uses it once, and has it
// closed after so many seconds.
func timedOut(n, seconds int) *series.Subject {
	return observed(n, func(i int, s *series.Sample) {
		open := min(i, seconds)
		set(&s.Client, socketstats.Established, open)
		a := s.Client.Activity
		a.Once, a.Destinations = open, 1
		a.Received = silent(max(0, open-3), 3*time.Second)
		a.Received[0] = min(open, 3)
		s.KernelConns.Opened, s.KernelConns.Closed = i, i-open
		s.KernelConns.WithTCPInfo, s.KernelConns.ShortLived = i-open, i-open
	})
}

// onceEach is a client that opens a connection a second and uses it once.
func onceEach(n int) *series.Subject { return timedOut(n, n) }

// sessions makes each connection be closed right after its last data.
func sessions(s *series.Subject) *series.Subject {
	for i := range s.Samples {
		s.Samples[i].KernelConns.AtOnce = s.Samples[i].KernelConns.WithTCPInfo
	}
	return s
}

// closedByClient makes the client's end have what was closed in TIME_WAIT.
func closedByClient(s *series.Subject) *series.Subject {
	for i := range s.Samples {
		set(&s.Samples[i].Client, socketstats.TimeWait, s.Samples[i].KernelConns.Closed)
	}
	return s
}

// A leak of one socket a minute among 500 that come and go: an hour and a half, a
// sample every ten seconds. The kernel's activity shows it much sooner.
func TestSlowLeakAmongManyBusyConnections(t *testing.T) {
	t.Parallel()
	subject := func(minutes, leaking int, active bool, r *rand.Rand) *series.Subject {
		var s series.Subject
		for i := range minutes * 6 {
			busy, idle := 500+int(10*r.NormFloat64()), leaking*i/6
			sample := series.Sample{At: time.Duration(i) * 10 * time.Second, Client: series.End{Counts: in(socketstats.Established, busy+idle)}}
			if active {
				sample.Client.Activity, sample.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
				sample.Client.Activity.Received[0] = busy
				sample.Client.Activity.Received[8] = idle
				sample.Client.Activity.Once = idle
			}
			s.Samples = append(s.Samples, sample)
		}
		return &s
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		require.Equal(t, verdict.ConnectionGrowth, judge(subject(90, 1, false, r)).Kind, "seed %d", seed)
		v := judge(subject(10, 1, true, r))
		require.Equal(t, verdict.IdleConnectionsNotReused, v.Kind, "seed %d", seed)
		require.Contains(t, verdict.Evidence(v)[0], "per minute")
		require.Equal(t, verdict.Healthy, judge(subject(90, 0, false, r)).Kind, "seed %d", seed)
		require.Equal(t, verdict.Healthy, judge(subject(90, 0, true, r)).Kind, "seed %d", seed)
	}
}

// onceForEach is a client that opens two connections in each moment, for a request each.
func onceForEach(i int) (sent, ok, reused, opened, open int) { return 2 * i, 2 * i, 0, 2 * i, 2 * i }

// poolSays has the client's pools say how many connections of each moment were not given
// back, and how many were.
func poolSays(inUse, idle int) func(i int, s *series.Sample) {
	return func(i int, s *series.Sample) {
		n := int64(idle * i)
		s.Pool = &series.Pool{InUse: int64(inUse * i), Idle: &n}
	}
}
